// Networks of containers through the real client, with real connections.
import { afterEach, describe, expect, test } from "bun:test"
import { createSocket } from "node:dgram"
import { connect, createServer } from "node:net"
import { hostname } from "node:os"
import { readAptSources } from "../../src/engine/images/distro/apt-sources.ts"
import { docker, dockerProgram } from "../support/docker.ts"
import { testEngine } from "../support/fixture.ts"

const HELLO = "while :; do echo hello | nc -l -p 80; done"

/** The images' busybox has no UDP server: this one runs in the container's network namespace. */
const UDP_ECHO = `const socket = require("node:dgram").createSocket("udp4")
socket.on("message", (text, from) => socket.send("echo of " + text, from.port, from.address))
socket.bind(53, () => console.log("ready"))`

/** What a TCP server says, asked again until it is up. */
async function ask(port: number, host = "127.0.0.1"): Promise<string> {
  for (let attempt = 0; ; attempt++) {
    const text = await new Promise<string | undefined>((resolve) => {
      let heard = ""
      const socket = connect({ port, host, timeout: 2000 })
      socket.on("data", (chunk) => (heard += chunk.toString()))
      socket.on("error", () => resolve(undefined))
      socket.on("timeout", () => socket.destroy())
      socket.on("close", () => resolve(heard === "" ? undefined : heard))
    })
    if (text !== undefined) return text
    if (attempt > 100) throw new Error(`Nothing answers at ${host}:${port}`)
    await Bun.sleep(30)
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address() as { port: number }
      server.close(() => resolve(port))
    })
  })
}

describe.skipIf(dockerProgram === undefined)("docker's networks", () => {
  const engine = testEngine()
  const client = docker(engine)
  const output = (flags: readonly string[], script: string) =>
    client.ok("run", "--rm", ...flags, "bb", "sh", "-c", script)
  const address = (name: string) => client.ok("inspect", "-f", "{{.NetworkSettings.IPAddress}}", name)

  afterEach(async () => {
    const left = (await client.ok("ps", "-aq")).split("\n").filter(Boolean)
    if (left.length > 0) await client.ok("rm", "-f", ...left)
  })

  test("-p 127.0.0.1::80 picks a port that reaches the container, until it is stopped", async () => {
    await client.ok("run", "-d", "--name", "web", "-p", "127.0.0.1::80", "bb", "sh", "-c", HELLO)
    const [, port = ""] = /^80\/tcp -> 127\.0\.0\.1:(\d+)$/.exec(await client.ok("port", "web")) ?? []
    expect(await ask(Number(port))).toBe("hello\n")
    expect(await client.ok("port", "web", "80")).toBe(`127.0.0.1:${port}`)
    expect(await client.ok("ps", "--format", "{{.Ports}}")).toBe(`127.0.0.1:${port}->80/tcp`)
    await client.ok("stop", "-t", "0", "web")
    await expect(fetch(`http://127.0.0.1:${port}`)).rejects.toThrow()
  })

  test("-p takes ranges, and -P publishes what is exposed", async () => {
    const port = await freePort()
    await client.ok(
      "run",
      "-d",
      "--name",
      "range",
      "-p",
      `${port}-${port + 1}:80-81`,
      "-P",
      "--expose",
      "99/udp",
      "bb",
      "sh",
      "-c",
      HELLO,
    )
    expect(await ask(port)).toBe("hello\n")
    const ports = await client.ok("port", "range")
    expect(ports).toContain(`80/tcp -> 0.0.0.0:${port}\n`)
    expect(ports).toContain(`81/tcp -> 0.0.0.0:${port + 1}\n`)
    expect(ports).toMatch(/^99\/udp -> 0\.0\.0\.0:\d+$/m)
    expect((await client.run(["port", "range", "7"])).stderr).toContain("No public port '7' published for range")
  })

  test("UDP is published too", async () => {
    await client.ok("run", "-d", "--name", "echo", "-p", "127.0.0.1::53/udp", "bb", "sleep", "60")
    const port = Number((await client.ok("port", "echo")).split(":").at(-1))
    const pid = await client.ok("inspect", "-f", "{{.State.Pid}}", "echo")
    const server = Bun.spawn(["nsenter", "-t", pid, "-n", process.execPath, "-e", UDP_ECHO], { stdout: "pipe" })
    await server.stdout.getReader().read()
    const socket = createSocket("udp4")
    const answer = new Promise<string>((resolve) => socket.once("message", (message) => resolve(message.toString())))
    socket.send("ping", port, "127.0.0.1")
    const late = Bun.sleep(5000).then(() => "no answer")
    expect(await Promise.race([answer, late])).toBe("echo of ping")
    socket.close()
    server.kill("SIGKILL")
    await server.exited
  })

  test("a port that a process holds is refused with its name", async () => {
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
    const { port } = server.address() as { port: number }
    const run = await client.run(["run", "--name", "late", "-p", `127.0.0.1:${port}:80`, "bb", "true"])
    server.close()
    expect(run.status).toBe(125)
    expect(run.stderr).toContain("driver failed programming external connectivity on endpoint late (")
    expect(run.stderr).toContain(`${port}`)
    expect(run.stderr).toContain(`${process.pid}`)
    expect(await client.ok("inspect", "-f", "{{.State.Status}}", "late")).toBe("created")
  })

  test("a port that another container has is refused with its name", async () => {
    const port = await freePort()
    const holder = await client.ok("run", "-d", "--name", "holder", "-p", `${port}:80`, "bb", "sleep", "60")
    const run = await client.run(["run", "--rm", "-p", `${port}:81`, "bb", "true"])
    expect(run.status).toBe(125)
    expect(run.stderr).toContain(`Bind for 0.0.0.0:${port} failed: port is already allocated`)
    expect(run.stderr).toContain(`Container ${holder.slice(0, 12)} publishes it`)
    await client.ok("rm", "-f", "holder")
    expect((await client.run(["run", "--rm", "-p", `${port}:81`, "bb", "true"])).status).toBe(0)
  })

  test("two containers on the bridge reach one another, and the host reaches both", async () => {
    await client.ok("run", "-d", "--name", "web", "bb", "sh", "-c", HELLO)
    const ip = await address("web")
    expect(await ask(80, ip)).toBe("hello\n")
    expect(await output([], `nc ${ip} 80`)).toBe("hello")
    expect(await output([], "ip -o -4 addr show eth0")).toContain("172.")
  })

  test("a container reaches the host's resolver through the bridge", async () => {
    // A name the host itself needs: that of its own package mirror.
    const name = new URL(readAptSources()[0]?.uris[0] ?? "http://localhost").hostname
    const { stdout, exitCode } = Bun.spawnSync(["getent", "ahostsv4", name])
    if (exitCode !== 0) return console.error("The host resolves no names: nothing to compare with")
    const known = stdout
      .toString()
      .split("\n")
      .map((line) => line.split(" ")[0])
    const answer = await output([], `nslookup ${name}`)
    expect(known.some((ip) => ip !== undefined && ip !== "" && answer.includes(ip))).toBe(true)
  })

  test("--network none has a loopback and nothing else", async () => {
    expect(await output(["--network", "none"], "ip -o link | wc -l; ip -o -4 addr")).toMatch(/^1\n.*127\.0\.0\.1/)
  })

  test("--network host is the host's, with its name", async () => {
    expect(
      await output(["--network", "host"], "readlink /proc/self/ns/net 2>/dev/null || stat -Lc %i /proc/self/ns/net"),
    ).toContain(String(Bun.spawnSync(["stat", "-Lc", "%i", "/proc/self/ns/net"]).stdout).trim())
    expect(await output(["--network", "host"], "hostname; cat /etc/hostname")).toBe(`${hostname()}\n${hostname()}`)
  })

  test("--network container: shares interfaces, names and ports with the other", async () => {
    const id = await client.ok("run", "-d", "--name", "web", "--hostname", "shared", "bb", "sh", "-c", HELLO)
    const ip = await address("web")
    expect(await output(["--network", "container:web"], "nc 127.0.0.1 80; hostname; ip -o -4 addr")).toMatch(
      new RegExp(`^hello\nshared\n[^]*${ip.replaceAll(".", "\\.")}/`),
    )
    const other = await client.ok("create", "--network", "container:web", "bb", "true")
    expect(await client.ok("inspect", "-f", "{{.HostConfig.NetworkMode}}", other)).toBe(`container:${id}`)
    await client.ok("stop", "-t", "0", "web")
    const { status, stderr } = await client.run(["start", other])
    expect(status).toBe(1)
    expect(stderr).toContain("cannot join network namespace of a non running container")
  })

  test("--ip and --mac-address outside what the default bridge allows are refused, a MAC address is taken", async () => {
    expect(await output(["--mac-address", "02:42:ac:11:00:99"], "cat /sys/class/net/eth0/address")).toBe(
      "02:42:ac:11:00:99",
    )
  })

  test("network ls and inspect show the three networks and who is attached", async () => {
    expect(
      (await client.ok("network", "ls", "--format", "{{.Name}} {{.Driver}} {{.Scope}}")).split("\n").sort(),
    ).toEqual(["bridge bridge local", "host host local", "none null local"])
    const id = await client.ok("run", "-d", "--name", "member", "bb", "sleep", "60")
    const [bridge] = JSON.parse(await client.ok("network", "inspect", "bridge"))
    expect(bridge.Containers[id]).toMatchObject({
      Name: "member",
      IPv4Address: expect.stringContaining(await address("member")),
    })
    expect((await client.run(["network", "inspect", "no-such"])).stderr).toContain("network no-such not found")
  })

  test("thirty at once each get an address of their own, and all of them are given back", async () => {
    const runs = Array.from({ length: 30 }, () => output([], "ip -o -4 addr show eth0"))
    const found = (await Promise.all(runs)).map((text) => /inet ([\d.]+)/.exec(text)?.[1])
    expect(found.every(Boolean)).toBe(true)
    const [bridge] = JSON.parse(await client.ok("network", "inspect", "bridge"))
    expect(bridge.Containers).toEqual({})
  })
})
