// Finding conmons again after the engine was killed, with real conmon and crun.
import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { readConmonArguments } from "../src/supervisor/arguments.ts"
import { openSupervisor } from "../src/supervisor/conmon.ts"
import type { LaunchOptions, Monitor, Supervisor } from "../src/supervisor/contract.ts"
import { readLog } from "../src/supervisor/logs/read.ts"
import { listSegments } from "../src/supervisor/logs/segments.ts"
import { isAlive, processArguments } from "../src/supervisor/process.ts"
import { collect, type Fixture, openFixture } from "./support/supervisor.ts"

let fixture: Fixture
let supervisor: Supervisor

beforeAll(() => {
  fixture = openFixture()
  supervisor = openSupervisor({ execRoot: fixture.execRoot })
})
afterAll(() => fixture.remove())

function conmonsOf(id: string): number[] {
  const pids = readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
  return pids.filter((pid) => readConmonArguments(processArguments(pid), id) !== undefined)
}

describe("adopt()", () => {
  function engine(options: LaunchOptions, crashAt = "") {
    const argument = JSON.stringify({ execRoot: fixture.execRoot, options })
    return Bun.spawn([process.execPath, join(import.meta.dir, "support/supervisor-child.ts"), argument], {
      stdio: ["ignore", "pipe", "inherit"],
      env: { ...process.env, DHOW_CRASH_AT: crashAt },
    })
  }

  /** Starts a container from another process and kills that one as soon as the container runs. */
  async function orphan(options: LaunchOptions): Promise<{ readonly pid: number; readonly conmonPid: number }> {
    const child = engine(options)
    const { value } = await child.stdout.getReader().read()
    child.kill("SIGKILL")
    await child.exited
    return JSON.parse(Buffer.from(value!).toString())
  }

  test("a log that grew while no engine was there is bounded, and looked after again", async () => {
    const script = "read word; seq 1 800000; echo end; read word"
    const logRotation = { maxSize: 1 << 29, maxFile: 3, unattended: 1 << 20 }
    const options = { ...fixture.bundle(["sh", "-c", script]), stdin: true, leaveStdinOpen: true, logRotation }
    const { pid } = await orphan(options)
    const log = options.logPath!
    const other = openSupervisor({ execRoot: fixture.execRoot })
    // Without its log: nobody looks after that.
    const unattended = (await other.adopt({ id: options.id, bundle: options.bundle, pid })) as Monitor
    const streams = (await unattended.streams())!
    streams.write(Buffer.from("\n"))
    while (!readFileSync(log, "utf8").endsWith(" end\n")) await Bun.sleep(10)
    const size = listSegments(log).segments.reduce((total, segment) => total + segment.size, 0)
    expect(size).toBeLessThan(3 << 20)
    const known = { id: options.id, bundle: options.bundle, pid, logPath: log, logRotation }
    const monitor = (await supervisor.adopt(known)) as Monitor
    while (!existsSync(`${log}.1`)) await Bun.sleep(20)
    streams.write(Buffer.from("\n"))
    await monitor.exited
    await unattended.exited
  })

  test("finds the process again with its streams, log and exit", async () => {
    const script = "read word; echo got $word; seq 1 50000; exit 6"
    const options = { ...fixture.bundle(["sh", "-c", script]), stdin: true, leaveStdinOpen: true }
    const { pid, conmonPid } = await orphan(options)
    const monitor = (await supervisor.adopt({ id: options.id, bundle: options.bundle, pid })) as Monitor
    expect([monitor.pid, monitor.conmonPid]).toEqual([pid, conmonPid])
    const output = collect()
    const streams = (await monitor.streams())!
    streams.listen(output.listener)
    streams.write(Buffer.from("it\n"))
    expect((await monitor.exited).exitCode).toBe(6)
    await output.ended
    const expected = `got it\n${Array.from({ length: 50_000 }, (_, index) => `${index + 1}\n`).join("")}`
    expect(output.text(1) === expected).toBe(true)
    const logged = collect()
    await readLog(
      { path: options.logPath!, stdout: true, stderr: true, timestamps: false, signal: new AbortController().signal },
      { ...logged.listener, write: logged.listener.data },
    )
    expect(logged.text(1) === expected).toBe(true)
  })

  test("finds it where the engine was killed before it noted conmon's pid", async () => {
    const options = fixture.bundle(["sleep", "1000"])
    const { pid, conmonPid } = await orphan(options)
    rmSync(join(options.bundle, "conmon.pid"))
    const monitor = (await supervisor.adopt({ id: options.id, bundle: options.bundle, pid })) as Monitor
    expect(monitor.conmonPid).toBe(conmonPid)
    process.kill(conmonPid, "SIGKILL")
    expect((await monitor.exited).exitCode).toBe(137)
    while (isAlive(pid)) await Bun.sleep(5)
  })

  test("gives the exit record of a process that ended meanwhile, and forgets it", async () => {
    const options = fixture.bundle(["sh", "-c", "exit 42"])
    const { pid, conmonPid } = await orphan(options)
    while (isAlive(conmonPid)) await Bun.sleep(5)
    const found = await supervisor.adopt({ id: options.id, bundle: options.bundle, pid })
    expect(found).toMatchObject({ exitCode: 42, oomKilled: false })
    supervisor.forget(options.id)
    expect(await supervisor.adopt({ id: options.id, bundle: options.bundle, pid })).toBe("lost")
  })

  test("leaves what was being made when the engine was killed to the runtime's delete", async () => {
    for (const point of ["supervisor.launch:before-pid-file", "supervisor.launch:before-created"]) {
      const options = fixture.bundle(["sleep", "1000"])
      await engine(options, point).exited
      const next = openSupervisor({ execRoot: fixture.execRoot })
      const found = await next.adopt({ id: options.id, bundle: options.bundle, pid: 0 })
      await fixture.crun("delete", "--force", options.id)
      if (found !== "lost") expect((await (found as Monitor).exited).exitCode).toBe(137)
      expect(conmonsOf(options.id)).toEqual([])
      next.forget(options.id)
      expect((await fixture.crun("list", "-q")).output).not.toContain(options.id)
    }
  })

  test("does not take another container's conmon for its own", async () => {
    const options = fixture.bundle(["sleep", "1000"])
    const monitor = await supervisor.launch(options)
    const other = fixture.bundle(["true"])
    writeFileSync(join(other.bundle, "conmon.pid"), String(monitor.conmonPid))
    expect(await supervisor.adopt({ id: other.id, bundle: other.bundle, pid: monitor.pid })).toBe("lost")
    process.kill(monitor.pid, "SIGKILL")
    await monitor.exited
  })
})
