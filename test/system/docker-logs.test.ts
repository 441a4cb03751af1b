// docker logs with the real client.
import { describe, expect, test } from "bun:test"
import { docker, dockerProgram } from "../support/docker.ts"
import { testEngine } from "../support/fixture.ts"

describe.skipIf(dockerProgram === undefined)("docker logs", () => {
  const engine = testEngine()
  const client = docker(engine)
  /** Runs a script to its end in a container of that name. */
  async function ended(name: string, script: string, ...flags: string[]): Promise<void> {
    await client.ok("run", "-d", "--name", name, ...flags, "bb", "sh", "-c", script)
    await client.ok("wait", name)
  }

  test("keeps standard output and standard error apart", async () => {
    await ended("apart", "echo out1; echo err1 >&2; echo out2")
    const { status, stdout, stderr } = await client.run(["logs", "apart"])
    expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: "out1\nout2\n", stderr: "err1\n" })
  })

  test("--tail gives the last lines, and 0 none", async () => {
    await ended("tail", "seq 1 1000")
    expect(await client.ok("logs", "--tail", "3", "tail")).toBe("998\n999\n1000")
    expect(await client.ok("logs", "--tail", "0", "tail")).toBe("")
    expect((await client.ok("logs", "-n", "5000", "tail")).split("\n")).toHaveLength(1000)
    expect((await client.ok("logs", "--tail", "all", "tail")).split("\n")).toHaveLength(1000)
  })

  test("-t shows when each line was written, and --since and --until choose by it", async () => {
    await ended("times", "echo one; sleep 0.3; echo two; sleep 0.3; echo three")
    const lines = (await client.ok("logs", "-t", "times")).split("\n").map((line) => line.split(" "))
    expect(lines.map(([, word]) => word)).toEqual(["one", "two", "three"])
    const stamps = lines.map(([stamp = ""]) => stamp)
    for (const stamp of stamps) expect(stamp).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z$/)
    expect([...stamps].sort()).toEqual(stamps)
    expect(await client.ok("logs", "--since", stamps[1]!, "times")).toBe("two\nthree")
    expect(await client.ok("logs", "--until", stamps[1]!, "times")).toBe("one\ntwo")
    expect(await client.ok("logs", "--since", "1h", "times")).toBe("one\ntwo\nthree")
    expect(await client.ok("logs", "--until", "1h", "times")).toBe("")
  })

  test("-f shows what comes and ends when the container ends", async () => {
    await client.ok("run", "-di", "--name", "live", "bb", "sh", "-c", "echo first; read word; echo $word")
    const logs = client.spawn(["logs", "-f", "live"])
    await logs.stdout.contains("first\n")
    const attach = client.spawn(["attach", "live"])
    attach.write("second\n")
    expect(await logs.ended()).toBe(0)
    expect(logs.stdout.text).toBe("first\nsecond\n")
    await attach.ended()
  })

  test("-f --until ends at its time though the container goes on", async () => {
    await client.ok("run", "-d", "--name", "until", "bb", "sh", "-c", "echo before; exec sleep 60")
    const until = new Date(Date.now() + 1000).toISOString()
    expect(await client.ok("logs", "-f", "--until", until, "until")).toBe("before")
    await client.ok("rm", "-f", "until")
  })

  test("-f --tail starts with the last lines", async () => {
    await client.ok("run", "-d", "--name", "last", "bb", "sh", "-c", "seq 1 50; sleep 60")
    const whole = client.spawn(["logs", "-f", "last"])
    await whole.stdout.contains("50\n")
    const logs = client.spawn(["logs", "-f", "--tail", "2", "last"])
    await logs.stdout.contains("50\n")
    await client.ok("kill", "last")
    expect(await logs.ended()).toBe(0)
    expect(logs.stdout.text).toBe("49\n50\n")
    expect(await whole.ended()).toBe(0)
  })

  test("-f of a container that is removed ends", async () => {
    await client.ok("run", "-d", "--name", "gone", "bb", "sh", "-c", "echo here; sleep 60")
    const logs = client.spawn(["logs", "-f", "gone"])
    await logs.stdout.contains("here\n")
    await client.ok("rm", "-f", "gone")
    expect(await logs.ended()).toBe(0)
  })

  test("a restart keeps what was logged before", async () => {
    await client.ok("run", "-d", "--name", "again", "bb", "sh", "-c", "echo run; sleep 60")
    await client.ok("restart", "-t", "0", "again")
    const logs = client.spawn(["logs", "-f", "again"])
    await logs.stdout.contains("run\nrun\n")
    await client.ok("rm", "-f", "again")
    expect(await logs.ended()).toBe(0)
  })

  test("no byte is changed: NUL, invalid UTF-8, no final newline", async () => {
    const bytes = "\\000\\001\\377\\376 no newline"
    await ended("binary", `printf '${bytes}'`)
    const response = await engine.call("GET", "/containers/binary/logs?stdout=1")
    expect(response.text).toContain("no newline")
    const child = Bun.spawn([dockerProgram!, "logs", "binary"], {
      env: { ...process.env, DOCKER_HOST: `unix://${engine.socket}` },
      stdio: ["ignore", "pipe", "pipe"],
    })
    const output = new Uint8Array(await new Response(child.stdout).arrayBuffer())
    expect([...output]).toEqual([0, 1, 255, 254, ...new TextEncoder().encode(" no newline")])
  })

  test("a terminal's output comes back as it was written", async () => {
    await ended("tty", "printf 'a\\nb'", "-t")
    expect((await client.run(["logs", "tty"])).stdout).toBe("a\r\nb")
  })

  test("100 MB are complete though the reader is slower than the writer", async () => {
    const script = "yes 0123456789abcde | head -c 104857600; echo; echo end"
    const flags = ["--log-opt", "max-size=1g"]
    await client.ok("run", "-d", "--name", "big", ...flags, "bb", "sh", "-c", script)
    const command = `docker logs -f big | (sleep 0.5; md5sum)`
    const child = Bun.spawn(["sh", "-c", command.replace("docker", dockerProgram!)], {
      env: { ...process.env, DOCKER_HOST: `unix://${engine.socket}` },
      stdio: ["ignore", "pipe", "inherit"],
    })
    const wanted = new Bun.CryptoHasher("md5").update(`${"0123456789abcde\n".repeat(104_857_600 / 16)}\nend\n`)
    expect(await new Response(child.stdout).text()).toBe(`${wanted.digest("hex")}  -\n`)
    await client.ok("rm", "-f", "big")
  }, 60_000)

  test("a log driver of none says that there is nothing to read", async () => {
    await ended("silent", "echo x", "--log-driver", "none")
    const { status, stderr } = await client.run(["logs", "silent"])
    expect(status).toBe(1)
    expect(stderr).toContain("configured logging driver does not support reading")
  })

  test("a container that is not there is named", async () => {
    const { status, stderr } = await client.run(["logs", "no-such"])
    expect(status).toBe(1)
    expect(stderr).toBe("Error response from daemon: No such container: no-such\n")
  })
})
