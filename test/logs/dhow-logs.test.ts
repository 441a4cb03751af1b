// dhow logs beyond Docker's: several containers in the order of time, a search, clearing, logs that outlive their container.
import { describe, expect, test } from "bun:test"
import { existsSync, readdirSync, statSync } from "node:fs"
import { join } from "node:path"
import { dhow } from "../support/docker.ts"
import { testEngine } from "../support/fixture.ts"

const usable = process.getuid?.() === 0 && existsSync("/bin/busybox")

describe.skipIf(!usable)("dhow logs", () => {
  const engine = testEngine()
  const client = dhow(engine)
  const run = (name: string, script: string, ...flags: string[]): Promise<string> =>
    client.ok("run", "-d", "--name", name, "--network", "none", ...flags, "bb", "sh", "-c", script)
  const ended = async (name: string, script: string, ...flags: string[]): Promise<void> => {
    await run(name, script, ...flags)
    await client.ok("wait", name)
  }

  test("several containers come in the order of time, each line behind its container's name", async () => {
    // Each waits for the other's turn.
    const turn = (first: number) =>
      `i=${first}; while [ $i -lt 10 ]; do while [ ! -e /t/$i ]; do usleep 1000; done; echo $i; usleep 2000; touch /t/$((i+1)); i=$((i+2)); done`
    await client.ok("volume", "create", "turns")
    await run("even", turn(0), "-v", "turns:/t")
    await run("odder", turn(1), "-v", "turns:/t")
    await client.ok("run", "--rm", "-v", "turns:/t", "--network", "none", "bb", "touch", "/t/0")
    await client.ok("wait", "even", "odder")
    const timed = (await client.ok("logs", "-t", "odder", "even")).split("\n")
    // conmon notes when it reads a line, which on a busy machine is some time after it was written.
    const times = timed.map((line) => /^(?:even |odder) \| (\S+Z) \d$/.exec(line)?.[1] ?? line)
    expect(times).toEqual([...times].sort())
    const wanted = timed.map((line) => line.replace(/\| \S+Z /, "| "))
    expect([...wanted].sort()).toEqual([
      ...[0, 2, 4, 6, 8].map((turn) => `even  | ${turn}`),
      ...[1, 3, 5, 7, 9].map((turn) => `odder | ${turn}`),
    ])
    const of = async (...flags: string[]) => (await client.ok("logs", ...flags, "odder", "even")).split("\n")
    expect(await of()).toEqual(wanted)
    expect((await of("--tail", "1")).sort()).toEqual(["even  | 8", "odder | 9"])
    expect(await of("--since", times[4]!)).toEqual(wanted.slice(4))
    expect(await of("--until", times[4]!)).toEqual(wanted.slice(0, 5))
  })

  test("following shows what comes, in colours on a terminal, and ends when all have ended", async () => {
    await run("live", "echo one; read x; echo $x", "-i")
    await run("other", "echo two >&2; sleep 0.2")
    const logs = client.terminal(["logs", "-f", "live", "other"])
    await logs.screen.contains("two")
    const attach = client.spawn(["attach", "live"])
    attach.write("three\n")
    await attach.ended()
    await logs.screen.contains("three")
    expect(await logs.ended()).toBe(0)
    expect(logs.screen.text).toContain("\u001b[36mlive  | \u001b[0mone")
    expect(logs.screen.text).toContain("\u001b[33mother | \u001b[0mtwo")
    expect(logs.screen.text).toContain("\u001b[36mlive  | \u001b[0mthree")
  })

  test("--grep finds lines, and the last ones that match", async () => {
    await ended("grep", "seq 1 100; printf 'x%020000d 77\\n' 7; echo 'err 77' >&2; printf '177 no end'")
    expect(await client.ok("logs", "--grep", "^7$", "grep")).toBe("7")
    expect((await client.ok("logs", "--grep", "0$", "--tail", "2", "grep")).split("\n")).toEqual(["90", "100"])
    const { stdout, stderr } = await client.run(["logs", "--grep", "77", "grep"])
    expect(stderr).toBe("err 77\n")
    expect(stdout.split("\n").map((line) => line.length)).toEqual([2, 20_004, 10])
    // The time is not searched.
    expect(await client.ok("logs", "-t", "--grep", "^2026|Z", "grep")).toBe("")
    const wrong = await client.run(["logs", "--grep", "(", "grep"])
    expect([wrong.status, wrong.stderr.includes('invalid regular expression "("')]).toEqual([1, true])
  })

  test("--details shows labels and variables that the log options name", async () => {
    await ended(
      "details",
      "echo x",
      "--label",
      "team=a b",
      "-e",
      "E=1",
      "--log-opt",
      "labels=team",
      "--log-opt",
      "env=E",
    )
    expect(await client.ok("logs", "--details", "details")).toBe("E=1,team=a+b x")
    expect(await client.ok("logs", "--details", "grep", "--tail", "1", "--grep", "^100$")).toBe(" 100")
  })

  test("--clear takes away what was logged, also while it is followed, and what comes after is there", async () => {
    const id = await run("clear", "seq 1 30000; read x; echo after; read y", "-i", "--log-driver", "json-file")
    const logs = client.spawn(["logs", "-f", "clear"])
    await logs.stdout.contains("\n30000\n")
    const json = join(engine.dataRoot, "containers", id, `${id}-json.log`)
    await until(() => existsSync(json) && statSync(json).size > 2_000_000)
    expect(await client.ok("logs", "--clear", "clear")).toMatch(/^clear: [\d.]+MB cleared$/)
    expect(await client.ok("logs", "clear")).toBe("")
    const attach = client.spawn(["attach", "clear"])
    attach.write("go\n")
    await logs.stdout.contains("\nafter\n")
    expect(await client.ok("logs", "clear")).toBe("after")
    await until(() => existsSync(json) && statSync(json).size > 0)
    expect(statSync(json).size).toBeLessThan(200)
    attach.write("end\n")
    await attach.ended()
    await client.ok("wait", "clear")
    await client.ok("logs", "--clear", "clear")
    expect(await client.ok("logs", "clear")).toBe("")
    await client.ok("start", "clear")
    await client.ok("rm", "-f", "clear")
  })

  test("a log that is kept outlives its container, an engine, and no more than its time", async () => {
    await ended("keep", "echo kept; echo error >&2", "--log-opt", "keep=1h", "--log-opt", "tag={{.Name}}")
    const id = await client.ok("inspect", "-f", "{{.Id}}", "keep")
    await client.ok("rm", "keep")
    await engine.kill()
    await engine.start()
    for (const reference of ["keep", id, id.slice(0, 12)])
      expect(await client.run(["logs", reference])).toEqual({ status: 0, stdout: "kept\n", stderr: "error\n" })
    expect(await client.ok("logs", "--details", "--grep", "kept", "keep")).toBe("tag=keep kept")
    // Docker's own route knows no container of that name.
    expect((await engine.call("GET", "/containers/keep/logs?stdout=1")).status).toBe(404)
    expect(await client.ok("system", "df")).toMatch(/\nLogs +\d+ +\d+ +/)
    expect(await client.ok("system", "df", "-v")).toContain("of containers that are gone")
    await client.ok("logs", "--clear", "keep")
    expect((await client.run(["logs", "keep"])).stderr).toBe("dhow: No such container: keep\n")
    expect(readdirSync(join(engine.dataRoot, "logs"))).toEqual([])

    await ended("brief", "echo brief")
    await client.ok("rm", "--keep-logs", "1s", "brief")
    expect(await client.ok("logs", "brief")).toBe("brief")
    await until(async () => (await client.run(["logs", "brief"])).status === 1)
    await engine.kill()
    await engine.start()
    expect(readdirSync(join(engine.dataRoot, "logs"))).toEqual([])
    const wrong = await client.run(["rm", "--keep-logs", "soon", "grep"])
    expect([wrong.status, wrong.stderr.includes('invalid keepLogs "soon"')]).toEqual([1, true])
  })
})

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  for (let tries = 0; !(await condition()); tries++) {
    if (tries === 300) throw new Error("It did not come")
    await Bun.sleep(30)
  }
}
