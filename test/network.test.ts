// The networks with real netavark, nftables and namespaces: needs root. Everything is on a bridge of its own, and nothing
// of it is left afterwards.
import { afterAll, afterEach, beforeEach, describe, expect, setDefaultTimeout, test } from "bun:test"
import { createHash } from "node:crypto"
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { networkInterfaces, tmpdir } from "node:os"
import { join } from "node:path"
import { inNetworkNamespace } from "../src/lib/syscalls/mount.ts"
import type { AttachRequest, Networks, PortMapping } from "../src/network/contract.ts"
import { Namespaces } from "../src/network/namespaces.ts"
import { findProgram } from "../src/network/netavark.ts"
import { openNetworks } from "../src/network/open.ts"
import { Database } from "../src/state/database.ts"

const usable = process.getuid?.() === 0 && findProgram("netavark") !== undefined && existsSync("/bin/busybox")
const BRIDGE = `dhowt${process.pid % 1_000_000}`
const OUTSIDE = "198.51.100"

const subnets = new Set<string>()
setDefaultTimeout(30_000)
let root: string
let database: Database
let networks: Networks

function open(options: { readonly bip?: string; readonly pool?: number } = {}): Networks {
  const execRoot = join(root, "run")
  return openNetworks({ database, execRoot, bridge: BRIDGE, bip: options.bip, pool: options.pool ?? 2 })
}

function request(owner: string, options: Partial<AttachRequest> = {}): AttachRequest {
  return { owner, name: owner, hostname: owner, networks: new Map([["bridge", {}]]), ports: [], ...options }
}

async function attach(owner: string, ports: readonly PortMapping[] = []) {
  const { namespace, endpoints } = await networks.attach(request(owner, { ports }))
  return { namespace, address: endpoints["bridge"]?.IPAddress ?? "", endpoint: endpoints["bridge"] }
}

async function run(...command: string[]): Promise<{ readonly status: number; readonly output: string }> {
  const child = Bun.spawn(command, { stdin: "ignore", stdout: "pipe", stderr: "pipe" })
  const [out, error, status] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited])
  return { status, output: out + error }
}

function inside(namespace: string, ...command: string[]) {
  return run("nsenter", `--net=${namespace}`, ...command)
}

/** Answers each connection with who connected. */
function serve(namespace: string, port: number) {
  return inNetworkNamespace(namespace, () =>
    Bun.listen({
      hostname: "0.0.0.0",
      port,
      socket: {
        open(socket) {
          socket.end(`served ${socket.remoteAddress}\n`)
        },
        data() {},
      },
    }),
  )
}

/** What is read from HOST:PORT, from our own namespace or another. */
async function read(host: string, port: number, namespace?: string): Promise<string> {
  const command = ["/bin/busybox", "timeout", "3", "/bin/busybox", "nc", "-w", "2", host, String(port)]
  return (await (namespace === undefined ? run(...command) : inside(namespace, ...command))).output
}

/** All rules of the kernel, without counters. */
async function rules(): Promise<string> {
  return (await run("nft", "-s", "list", "ruleset")).output
}

/** What our bridge, netavark's chains for it, or a subnet that is nobody's any more have left in the kernel. */
async function leftovers(): Promise<string[]> {
  const { output: addresses } = await run("ip", "-4", "route")
  const ours = [BRIDGE, createHash("sha512").update(BRIDGE).digest("hex").slice(0, 13).toUpperCase()]
  const freed = [...subnets].filter((subnet) => !addresses.includes(subnet))
  const marks = [...ours, ...freed]
  const lines = [...(await rules()).split("\n"), ...readdirSync("/sys/class/net")]
  return lines.filter((line) => marks.some((mark) => line.includes(mark)))
}

function veths(): string[] {
  const ports = `/sys/class/net/${BRIDGE}/brif`
  return existsSync(ports) ? readdirSync(ports) : []
}

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  for (let tries = 0; !(await condition()); tries++) {
    if (tries > 300) throw new Error("The condition never came true")
    await Bun.sleep(20)
  }
}

describe.skipIf(!usable)("networks", () => {
  beforeEach(async () => {
    root = mkdtempSync(join(tmpdir(), "dhow-network-"))
    database = Database.open(join(root, "dhow.db"))
    networks = open()
    await networks.open()
  })

  afterEach(async () => {
    subnets.add(networks.inspect("bridge").IPAM.Config[0]?.Subnet ?? "")
    await networks.close()
    database.close()
    rmSync(root, { recursive: true })
    await until(() => veths().length === 0)
  })

  afterAll(async () => {
    expect(await leftovers()).toEqual([])
    expect(readFileSync("/proc/self/mounts", "utf8")).not.toContain("dhow-network-")
  })

  test("open() makes bridge, host and none, as Docker shows them", () => {
    const [bridge, host, none] = ["bridge", "host", "none"].map((name) => networks.inspect(name))
    expect(bridge).toMatchObject({ Name: "bridge", Driver: "bridge", Scope: "local", EnableIPv6: false })
    expect(bridge?.Id).toMatch(/^[0-9a-f]{64}$/)
    expect(bridge?.Options["com.docker.network.bridge.name"]).toBe(BRIDGE)
    expect([host?.Driver, none?.Driver, host?.IPAM.Config]).toEqual(["host", "null", []])
    expect(networks.resolve(bridge!.Id.slice(0, 12))).toEqual({ id: bridge!.Id, name: "bridge", driver: "bridge" })
    expect(() => networks.resolve("nothing")).toThrow("network nothing not found")
  })

  test("attach() gives an address, a default route and loopback, and inspect() shows the container", async () => {
    const { namespace, address, endpoint } = await attach("one")
    const { output } = await inside(namespace, "ip", "-o", "addr")
    expect(output).toContain(`inet ${address}/`)
    expect(output).toContain("inet 127.0.0.1/8")
    expect(output).not.toContain("fe80::")
    expect((await inside(namespace, "ip", "route")).output).toContain(`default via ${endpoint?.Gateway} dev eth0`)
    const pinged = await inside(namespace, "/bin/busybox", "ping", "-c1", "-W2", endpoint?.Gateway ?? "")
    expect(pinged.status).toBe(0)
    expect(networks.inspect("bridge").Containers["one"]).toMatchObject({
      Name: "one",
      MacAddress: endpoint?.MacAddress,
    })
    expect(networks.owners()).toEqual(["one"])
  })

  test("attach() of many at once gives each an address of its own, and they reach one another", async () => {
    const all = await Promise.all(Array.from({ length: 12 }, (_, index) => attach(`burst-${index}`)))
    expect(new Set(all.map(({ address }) => address)).size).toBe(12)
    using _server = serve(all[0]!.namespace, 7777)
    expect(await read(all[0]!.address, 7777, all[11]!.namespace)).toBe(`served ${all[11]!.address}\n`)
  })

  test("attach() takes a MAC address and refuses what Docker refuses on the default bridge", async () => {
    const MacAddress = "02:00:00:00:00:7f"
    const { namespace } = await networks.attach(request("mac", { networks: new Map([["bridge", { MacAddress }]]) }))
    expect((await inside(namespace, "ip", "link", "show", "eth0")).output).toContain(MacAddress)
    const fixed = new Map([["bridge", { IPAMConfig: { IPv4Address: "172.17.0.9" } }]])
    expect(networks.attach(request("fixed", { networks: fixed }))).rejects.toThrow(
      "user specified IP address is supported on user defined networks only",
    )
  })

  test("release() removes the namespace and its interface, and an address rests before it is given again", async () => {
    const first = await attach("first")
    await networks.release("first")
    expect(existsSync(first.namespace)).toBe(false)
    expect(networks.owners()).toEqual([])
    const second = await attach("second")
    expect(second.address).not.toBe(first.address)
    await networks.release("second")
    await networks.release("second")
    await networks.release("unknown")
  })

  test("isolate() gives loopback and nothing else", async () => {
    const { namespace, endpoints } = await networks.isolate("alone")
    expect(endpoints).toEqual({})
    const { output } = await inside(namespace, "ip", "-o", "addr")
    expect(output).toContain("127.0.0.1/8")
    expect(output).not.toContain("eth0")
  })

  test("an unmount is seen by mount namespaces made before, so that no copy keeps a namespace alive", async () => {
    const { namespace } = await attach("seen")
    const child = Bun.spawn(["unshare", "--mount", "--propagation", "slave", "/bin/busybox", "sleep", "60"])
    try {
      await until(() => readFileSync(`/proc/${child.pid}/mounts`, "utf8").includes(namespace))
      await until(() => readFileSync(`/proc/${child.pid}/comm`, "utf8").trim() === "busybox")
      await networks.release("seen")
      expect(readFileSync(`/proc/${child.pid}/mounts`, "utf8")).not.toContain(namespace)
    } finally {
      child.kill("SIGKILL")
      await child.exited
    }
  })

  test("an interface whose namespace something else holds is taken off the bridge after a while", async () => {
    const { namespace } = await attach("held")
    const child = Bun.spawn(["nsenter", `--net=${namespace}`, "/bin/busybox", "sleep", "60"])
    try {
      await until(() => readFileSync(`/proc/${child.pid}/comm`, "utf8").trim() === "busybox")
      const held = `veth${namespace.slice(-10)}`
      await networks.release("held")
      expect(veths()).toContain(held)
      await until(() => !veths().includes(held))
    } finally {
      child.kill("SIGKILL")
      await child.exited
    }
  })

  describe("published ports", () => {
    test("are reached through 127.0.0.1, the host's address, and from containers", async () => {
      const ports = networks.choosePorts("web", [], { "80/tcp": [{}], "81/tcp": [{ HostIp: "127.0.0.1" }] }, false)
      expect(ports.map(({ containerPort, hostIp }) => [containerPort, hostIp])).toEqual([
        [80, ""],
        [81, "127.0.0.1"],
      ])
      const web = await attach("web", ports)
      const other = await attach("other")
      const [open, local] = ports as [PortMapping, PortMapping]
      using _one = serve(web.namespace, 80)
      using _two = serve(web.namespace, 81)
      const host = Object.values(networkInterfaces())
        .flat()
        .find((candidate) => candidate?.family === "IPv4" && !candidate.internal)!.address
      expect(await read("127.0.0.1", open.hostPort)).toStartWith("served")
      expect(await read(host, open.hostPort)).toStartWith("served")
      expect(await read(host, open.hostPort, other.namespace)).toStartWith("served")
      expect(await read(host, open.hostPort, web.namespace)).toStartWith("served")
      expect(await read("127.0.0.1", local.hostPort)).toStartWith("served")
      expect(await read(host, local.hostPort)).not.toContain("served")
      await networks.release("web")
      expect(await read("127.0.0.1", open.hostPort)).not.toContain("served")
    })

    test("carry UDP, also for a client that began to send before, and goes on over a change of container", async () => {
      const replies: string[] = []
      const client = await Bun.udpSocket({
        // Refusals are expected while nothing answers.
        socket: { data: (_socket, data) => void replies.push(data.toString()), error() {} },
      })
      const [port] = networks.choosePorts("early", [], { "53/udp": [{}] }, false) as [PortMapping]
      const HostPort = String(port.hostPort)
      const ask = () => client.send("hello", port.hostPort, "127.0.0.1")
      ask()
      for (const name of ["early", "late"]) {
        const ports = networks.choosePorts(name, [], { "53/udp": [{ HostPort }] }, false)
        const { namespace } = await attach(name, ports)
        const server = await inNetworkNamespace(namespace, () =>
          Bun.udpSocket({
            hostname: "0.0.0.0",
            port: 53,
            socket: {
              data(socket, data, from, address) {
                socket.send(`${name}: ${data}`, from, address)
              },
            },
          }),
        )
        ask()
        await until(() => replies.includes(`${name}: hello`))
        server.close()
        await networks.release(name)
      }
      client.close()
    })

    test("are held: a second container, a process of the host, and a range that is full say who has them", async () => {
      const [held] = networks.choosePorts("holder", [], { "80/tcp": [{}] }, false) as [PortMapping]
      const HostPort = String(held.hostPort)
      expect(() => networks.choosePorts("late", [], { "80/tcp": [{ HostPort }] }, false, "late")).toThrow(
        `driver failed programming external connectivity on endpoint late (late): Bind for 0.0.0.0:${HostPort} failed: port is already allocated`,
      )
      expect(() =>
        networks.choosePorts("late", [], { "80/tcp": [{ HostPort: `${HostPort}-${HostPort}` }] }, false),
      ).toThrow("port is already allocated")
      expect(() => Bun.listen({ hostname: "0.0.0.0", port: held.hostPort, socket: { data() {} } })).toThrow()
      await networks.release("holder")
      using taken = Bun.listen({ hostname: "127.0.0.1", port: held.hostPort, socket: { data() {} } })
      let error: unknown
      try {
        networks.choosePorts("late", [], { "80/tcp": [{ HostPort }] }, false)
      } catch (caught) {
        error = caught
      }
      expect(error).toMatchObject({ kind: "conflict", hint: `It is in use by process ${process.pid} (bun)` })
      expect(String(error)).toContain(
        `failed to bind host port for 0.0.0.0:${taken.port}:80/tcp: address already in use`,
      )
      expect(
        networks.choosePorts(
          "late",
          [],
          { "80/tcp": [{ HostPort: `${held.hostPort}-${held.hostPort + 5}` }] },
          false,
        )[0],
      ).not.toMatchObject({ hostPort: held.hostPort })
    })

    test("may be thousands", async () => {
      const bindings: Record<string, { HostIp: string }[]> = {}
      for (let port = 1; port <= 1500; port++) bindings[`${port}/tcp`] = [{ HostIp: port % 2 === 0 ? "" : "127.0.0.1" }]
      const ports = networks.choosePorts("many", [], bindings, false)
      const { namespace } = await attach("many", ports)
      using _server = serve(namespace, 1499)
      expect(await read("127.0.0.1", ports[1498]!.hostPort)).toStartWith("served")
      await networks.release("many")
      const { output } = await run("nft", "list", "table", "ip", BRIDGE)
      expect(output).toContain("any_")
      expect(output).not.toContain("elements")
    })

    test("come from what the image exposes with --publish-all", () => {
      const ports = networks.choosePorts("all", ["53/udp", "80/tcp"], {}, true)
      expect(ports.map(({ protocol, containerPort }) => `${containerPort}/${protocol}`)).toEqual(["53/udp", "80/tcp"])
      expect(ports.every(({ hostPort }) => hostPort >= 1024)).toBe(true)
      expect(networks.choosePorts("none", ["80/tcp"], { "80/tcp": null }, false)).toEqual([])
    })

    test("are the same after the engine was killed and started again", async () => {
      const ports = networks.choosePorts("stays", [], { "80/tcp": [{}] }, false)
      const { namespace } = await attach("stays", ports)
      using _server = serve(namespace, 80)
      const { hostPort } = ports[0]!
      // A second engine on the same state is what a restarted one is, but that the first still holds the socket.
      const again = open()
      await again.open()
      expect(await read("127.0.0.1", hostPort)).toStartWith("served")
      expect(() => again.choosePorts("new", [], { "80/tcp": [{ HostPort: String(hostPort) }] }, false)).toThrow(
        "port is already allocated",
      )
      await again.release("stays")
      expect(await read("127.0.0.1", hostPort)).not.toContain("served")
      await again.close()
    })
  })

  describe("beyond the host", () => {
    let outside: string
    let namespaces: Namespaces

    beforeEach(async () => {
      namespaces = new Namespaces(join(root, "outside"))
      namespaces.prepareDirectory()
      namespaces.create("lan", () => {})
      outside = namespaces.path("lan")
      const name = `${BRIDGE}o`
      await run("ip", "link", "add", name, "type", "veth", "peer", "name", "eth0", "netns", outside)
      await run("ip", "addr", "add", `${OUTSIDE}.1/24`, "dev", name)
      await run("ip", "link", "set", name, "up")
      await inside(outside, "ip", "addr", "add", `${OUTSIDE}.2/24`, "dev", "eth0")
      await inside(outside, "ip", "link", "set", "eth0", "up")
      await inside(outside, "ip", "route", "add", "default", "via", `${OUTSIDE}.1`)
    })

    afterEach(async () => {
      await run("ip", "link", "del", `${BRIDGE}o`)
      namespaces.destroy("lan")
      namespaces.removeDirectory()
    })

    test("containers come as the host, published ports let in, others do not", async () => {
      const ports = networks.choosePorts("lan", [], { "80/tcp": [{}] }, false)
      const { namespace, address } = await attach("lan", ports)
      using _lan = serve(outside, 9999)
      expect(await read(`${OUTSIDE}.2`, 9999, namespace)).toBe(`served ${OUTSIDE}.1\n`)
      using _published = serve(namespace, 80)
      using _unpublished = serve(namespace, 81)
      expect(await read(`${OUTSIDE}.1`, ports[0]!.hostPort, outside)).toBe(`served ${OUTSIDE}.2\n`)
      expect(await read(address, 81, outside)).not.toContain("served")
    })

    test("containers do not reach what listens on the host's loopback only", async () => {
      const { namespace, endpoint } = await attach("curious")
      using server = Bun.listen({
        hostname: "127.0.0.1",
        port: 0,
        socket: { open: (socket) => void socket.end("secret"), data() {} },
      })
      // As a privileged container could: packets for 127.0.0.1 leave through eth0.
      const script = `echo 1 > /proc/sys/net/ipv4/conf/all/route_localnet; ip addr del 127.0.0.1/8 dev lo;
        ip route add 127.0.0.1 via ${endpoint?.Gateway} src ${endpoint?.IPAddress}`
      expect(await inside(namespace, "sh", "-c", script)).toEqual({ status: 0, output: "" })
      expect(await read("127.0.0.1", server.port, namespace)).not.toContain("secret")
      // So that the test would notice: without the rule it arrives.
      await run("nft", "flush", "chain", "ip", BRIDGE, "guard_loopback")
      expect(await read("127.0.0.1", server.port, namespace)).toContain("secret")
    })
  })

  describe("after a crash", () => {
    test("open() adopts ready namespaces and sweep() removes what nobody owns", async () => {
      await attach("alive")
      const dead = await attach("dead")
      await until(() => veths().length === 4)
      writeFileSync(join(root, "run/netns/0123456789"), "")
      const again = open()
      await again.open()
      expect(veths().length).toBe(4)
      const removed = await again.sweep(new Set(["alive"]))
      expect(removed).toContain("network namespace of dead")
      expect(removed).toContain("network namespace 0123456789")
      expect(existsSync(dead.namespace)).toBe(false)
      expect(again.owners()).toEqual(["alive"])
      await again.close()
    })

    test("a bridge that was deleted and rules that were flushed are made again", async () => {
      await attach("before")
      await run("ip", "link", "del", BRIDGE)
      const { namespace, endpoint } = await attach("after")
      const { status } = await inside(namespace, "/bin/busybox", "ping", "-c1", "-W2", endpoint?.Gateway ?? "")
      expect(status).toBe(0)
      const subnet = networks.inspect("bridge").IPAM.Config[0]?.Subnet ?? ""
      await run("iptables", "-D", "NETAVARK_FORWARD", "-s", subnet, "-j", "ACCEPT")
      await run("nft", "delete", "table", "ip", BRIDGE)
      const again = open()
      await again.open()
      await until(async () => new RegExp(`ip saddr ${subnet} .*accept`).test(await rules()))
      await until(async () => (await rules()).includes(`table ip ${BRIDGE}`))
      await again.close()
    })

    test("the subnet stays, and `bip` fixes another when nothing runs", async () => {
      // Without pools: the engines before the last are dead in real life, and must keep still here.
      await networks.close()
      networks = open({ pool: 0 })
      await networks.open()
      await attach("first")
      const subnet = networks.inspect("bridge").IPAM.Config[0]?.Subnet
      const again = open({ pool: 0 })
      await again.open()
      expect(again.inspect("bridge").IPAM.Config[0]?.Subnet).toBe(subnet!)
      await again.release("first")
      const other = open({ bip: "10.213.7.1/24" })
      await other.open()
      const { namespace, endpoints } = await other.attach(request("fixed"))
      const { IPAddress, Gateway, IPPrefixLen } = endpoints["bridge"] ?? {}
      expect([IPAddress, Gateway, IPPrefixLen]).toEqual(["10.213.7.2", "10.213.7.1", 24])
      expect((await inside(namespace, "/bin/busybox", "ping", "-c1", "-W2", "10.213.7.1")).status).toBe(0)
      expect(await rules()).not.toContain(subnet!)
      networks = other
    })
  })
})
