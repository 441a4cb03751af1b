// The supervisor with real conmon and crun.
import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import { existsSync, linkSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { readConmonArguments } from "../src/supervisor/arguments.ts"
import { openSupervisor } from "../src/supervisor/conmon.ts"
import type { LaunchOptions, Monitor, Supervisor } from "../src/supervisor/contract.ts"
import { readLog } from "../src/supervisor/logs/read.ts"
import { listSegments } from "../src/supervisor/logs/segments.ts"
import { isAlive, processArguments } from "../src/supervisor/process.ts"
import { collect, type Fixture, openFixture, run } from "./support/supervisor.ts"

let fixture: Fixture
let supervisor: Supervisor

beforeAll(() => {
  fixture = openFixture()
  supervisor = openSupervisor({ execRoot: fixture.execRoot })
})
afterAll(() => fixture.remove())

describe("launch()", () => {
  test("delivers what a process wrote at once, apart by stream, and its exit code", async () => {
    const options = fixture.bundle(["sh", "-c", "echo out; echo err >&2; exit 3"])
    const { monitor, output } = await run(fixture, supervisor, options)
    const exit = await monitor.exited
    await output.ended
    expect([output.text(1), output.text(2), exit.exitCode, exit.oomKilled]).toEqual(["out\n", "err\n", 3, false])
    supervisor.forget(options.id)
  })

  test("loses nothing of quick processes that run at once", async () => {
    const job = async (index: number): Promise<void> => {
      const terminal = index % 2 === 1
      const options = fixture.bundle(["sh", "-c", `echo ${index}; exit ${index}`], { terminal })
      const { monitor, output } = await run(fixture, supervisor, options)
      const { exitCode } = await monitor.exited
      await output.ended
      expect([exitCode, output.text(1).trim()]).toEqual([index, String(index)])
    }
    await Promise.all(Array.from({ length: 12 }, (_, index) => job(index)))
  })

  test("passes on the runtime's own words when it cannot make the container, and leaves nothing", async () => {
    for (const terminal of [false, true]) {
      const options = fixture.bundle(["/no/such/program"], { terminal })
      expect(supervisor.launch(options)).rejects.toThrow(/no\/such\/program/)
      await supervisor.launch(options).catch(() => {})
      expect(readdirSync(options.bundle).sort()).toEqual(["config.json", "container.log"])
    }
  })

  test("gives input to the process and its end", async () => {
    const options = { ...fixture.bundle(["sh", "-c", "cat; echo done"]), stdin: true }
    const { monitor, streams, output } = await run(fixture, supervisor, options)
    streams.write(Buffer.from("hello\n"))
    streams.endInput()
    expect((await monitor.exited).exitCode).toBe(0)
    await output.ended
    expect(output.text(1)).toBe("hello\ndone\n")
  })

  test("carries 100 MB of each stream", async () => {
    const script = "dd if=/dev/zero bs=1M count=100 2>/dev/null & dd if=/dev/zero bs=1M count=100 >&2 2>/dev/null; wait"
    const options = { ...fixture.bundle(["sh", "-c", script]), logPath: undefined }
    const monitor = await supervisor.launch(options)
    const bytes = { 1: 0, 2: 0 }
    const { promise, resolve } = Promise.withResolvers<void>()
    const streams = (await monitor.streams())!
    const listener = {
      ...collect().listener,
      data(stream: 1 | 2, chunk: Uint8Array) {
        bytes[stream] += chunk.length
        return true
      },
      end: resolve,
    }
    streams.listen(listener)
    await fixture.start(options.id)
    await monitor.exited
    await promise
    expect(bytes).toEqual({ 1: 100 << 20, 2: 100 << 20 })
  })
})

describe("streams()", () => {
  test("keeps the input open for the next client when asked to", async () => {
    const options = { ...fixture.bundle(["cat"]), stdin: true, leaveStdinOpen: true }
    const { monitor, streams } = await run(fixture, supervisor, options)
    for (const word of ["first", "second"]) {
      const client = collect()
      const leave = streams.listen(client.listener)
      streams.write(Buffer.from(`${word}\n`))
      await client.contains(`${word}\n`)
      streams.endInput()
      leave()
    }
    process.kill(monitor.pid, "SIGKILL")
    expect((await monitor.exited).exitCode).toBe(137)
    expect(await monitor.streams()).toBeUndefined()
  })

  test("takes more input than the process reads, in order", async () => {
    const options = { ...fixture.bundle(["sh", "-c", "sleep 0.3; md5sum"]), stdin: true }
    const { monitor, streams, output } = await run(fixture, supervisor, options)
    const hash = new Bun.CryptoHasher("md5")
    let waits = 0
    for (let index = 0; index < 500; index++) {
      const chunk = Buffer.alloc(10_000 + index, `${index}.`)
      hash.update(chunk)
      if (streams.write(chunk)) continue
      waits++
      await streams.inputDrained()
    }
    streams.endInput()
    await monitor.exited
    await output.ended
    expect(output.text(1)).toBe(`${hash.digest("hex")}  -\n`)
    expect(waits).toBeGreaterThan(1)
  })

  test("lets a slow listener slow the process, and loses nothing", async () => {
    const options = { ...fixture.bundle(["seq", "1", "200000"]), logPath: undefined }
    const monitor = await supervisor.launch(options)
    const streams = (await monitor.streams())!
    const output = collect()
    let release = (): void => {}
    let pauses = 0
    streams.listen({
      ...output.listener,
      data(stream, chunk) {
        output.listener.data(stream, chunk)
        if (pauses === 3) return true
        pauses++
        return false
      },
      drained: () =>
        new Promise((resolve) => {
          release = resolve
        }),
    })
    await fixture.start(options.id)
    for (let round = 1; round <= 3; round++) {
      while (pauses < round) await Bun.sleep(5)
      await Bun.sleep(50)
      release()
    }
    await monitor.exited
    await output.ended
    const expected = Array.from({ length: 200_000 }, (_, index) => `${index + 1}\n`).join("")
    expect(output.text(1) === expected).toBe(true)
  })

  test("goes on for the others when a listener that paused leaves", async () => {
    const options = { ...fixture.bundle(["seq", "1", "100000"]), logPath: undefined }
    const monitor = await supervisor.launch(options)
    const streams = (await monitor.streams())!
    const stuck = Promise.withResolvers<void>()
    const leave = streams.listen({
      data() {
        stuck.resolve()
        return false
      },
      drained: () => new Promise(() => {}),
      end() {},
    })
    const output = collect()
    streams.listen(output.listener)
    await fixture.start(options.id)
    await stuck.promise
    leave()
    await monitor.exited
    await output.ended
    expect(output.text(1)).toEndWith("\n99999\n100000\n")
  })

  test("gives a terminal its size, and its output as one stream", async () => {
    const script = "trap 'stty size' WINCH; echo ready; i=0; while [ $i -lt 100 ]; do sleep 0.05; i=$((i+1)); done"
    const options = { ...fixture.bundle(["sh", "-c", script], { terminal: true }), stdin: true }
    const { monitor, output } = await run(fixture, supervisor, options)
    await output.contains("ready")
    for (let columns = 80; columns <= 132; columns++) monitor.resize(43, columns)
    await output.contains("43 132")
    process.kill(monitor.pid, "SIGKILL")
    expect((await monitor.exited).exitCode).toBe(137)
    expect(output.text(2)).toBe("")
  })
})

describe("exec()", () => {
  let monitor: Monitor
  let container: LaunchOptions
  beforeAll(async () => {
    container = fixture.bundle(["sleep", "1000"])
    monitor = await supervisor.launch(container)
    await fixture.start(container.id)
  })
  afterAll(async () => {
    process.kill(monitor.pid, "SIGKILL")
    await monitor.exited
  })

  test("connects the streams before the process runs", async () => {
    for (let round = 0; round < 10; round++) {
      const output = collect()
      const session = await supervisor.exec({
        ...fixture.exec(container.id, ["sh", "-c", "echo out; echo err >&2; exit 7"]),
        beforeStart: (streams) => streams.listen(output.listener),
      })
      expect((await session.exited).exitCode).toBe(7)
      await output.ended
      expect([output.text(1), output.text(2)]).toEqual(["out\n", "err\n"])
    }
  })

  test("takes input and its end, and a terminal", async () => {
    const output = collect()
    const session = await supervisor.exec({
      ...fixture.exec(container.id, ["cat"]),
      stdin: true,
      beforeStart: (streams) => {
        streams.listen(output.listener)
        streams.write(Buffer.from("typed"))
        streams.endInput()
      },
    })
    expect((await session.exited).exitCode).toBe(0)
    await output.ended
    expect(output.text(1)).toBe("typed")

    const terminal = collect()
    const second = await supervisor.exec({
      ...fixture.exec(container.id, ["sh", "-c", "test -t 0 && echo terminal; exit 4"], true),
      beforeStart: (streams) => streams.listen(terminal.listener),
    })
    expect((await second.exited).exitCode).toBe(4)
    await terminal.ended
    expect(terminal.text(1)).toBe("terminal\r\n")
  })

  test("runs detached without streams, and does not touch the container's own exit file", async () => {
    const session = await supervisor.exec(fixture.exec(container.id, ["sh", "-c", "exit 9"]))
    expect((await session.exited).exitCode).toBe(9)
    expect(await supervisor.adopt({ id: container.id, bundle: container.bundle, pid: monitor.pid })).toBe(monitor)
  })

  test("passes on the runtime's own words", async () => {
    const job = fixture.exec(container.id, ["/no/such/program"])
    expect(supervisor.exec({ ...job, beforeStart: () => {} })).rejects.toThrow(/no\/such\/program/)
    expect(supervisor.exec(fixture.exec(container.id, ["/no/such/program"]))).rejects.toThrow(/no\/such\/program/)
  })
})

describe("exited", () => {
  test("settles when the time given at launch is over", async () => {
    const { monitor } = await run(fixture, supervisor, { ...fixture.bundle(["sleep", "1000"]), timeout: 1 })
    expect((await monitor.exited).exitCode).toBe(137)
    while (isAlive(monitor.pid)) await Bun.sleep(5)
  })

  test("tells an out-of-memory kill", async () => {
    const options = fixture.bundle(["sh", "-c", "tail -c 200m /dev/zero; exit 5"], { memory: 20 << 20 })
    const { monitor } = await run(fixture, supervisor, options)
    expect((await monitor.exited).oomKilled).toBe(true)
  })

  test("settles when conmon is killed, and the process does not live on", async () => {
    const options = fixture.bundle(["sleep", "1000"])
    const { monitor, output } = await run(fixture, supervisor, options)
    process.kill(monitor.conmonPid, "SIGKILL")
    expect((await monitor.exited).exitCode).toBe(137)
    await output.ended
    while (isAlive(monitor.pid)) await Bun.sleep(5)
  })
})

describe("log", () => {
  test("is followed through rotations without loss", async () => {
    const options = {
      ...fixture.bundle([
        "sh",
        "-c",
        "i=0; while [ $i -lt 30 ]; do seq $((i*20000)) $((i*20000+19999)); i=$((i+1)); sleep 0.04; done",
      ]),
      logRotation: { maxSize: 2 << 20, maxFile: 40 },
    }
    const monitor = await supervisor.launch(options)
    const output = collect()
    const reading = readLog(
      {
        path: options.logPath!,
        stdout: true,
        stderr: true,
        timestamps: false,
        follow: monitor.exited,
        signal: new AbortController().signal,
      },
      { ...output.listener, write: output.listener.data },
    )
    await fixture.start(options.id)
    await monitor.exited
    await reading
    const expected = Array.from({ length: 600_000 }, (_, index) => `${index}\n`).join("")
    expect(output.text(1) === expected).toBe(true)
    const { segments } = listSegments(options.logPath!)
    expect(segments.length).toBeGreaterThan(5)
  })

  test("stays within its bounds, an unfinished rotation of an earlier engine included", async () => {
    const options = fixture.bundle(["sh", "-c", "while true; do seq 1 20000; sleep 0.02; done"])
    const { monitor } = await run(fixture, supervisor, options)
    const log = options.logPath!
    while (statSync(log).size < 1 << 20) await Bun.sleep(5)
    linkSync(log, `${log}.1`)
    const engine = openSupervisor({ execRoot: fixture.execRoot })
    const adopted = (await engine.adopt({
      id: options.id,
      bundle: options.bundle,
      pid: monitor.pid,
      logPath: log,
      logRotation: { maxSize: 1 << 20, maxFile: 3, compress: true },
    })) as Monitor
    while (!existsSync(`${log}.5.zst`)) await Bun.sleep(20)
    expect(listSegments(log).segments.length).toBeLessThanOrEqual(4)
    expect(existsSync(`${log}.1`) || existsSync(`${log}.1.zst`)).toBe(false)
    process.kill(monitor.pid, "SIGKILL")
    expect((await adopted.exited).exitCode).toBe(137)
    await monitor.exited
  })
})

describe("a long data root", () => {
  let long: Fixture
  beforeAll(() => {
    long = openFixture({ longPath: true })
  })
  afterAll(() => long.remove())

  test("is no obstacle", async () => {
    const far = openSupervisor({ execRoot: long.execRoot })
    for (const terminal of [false, true]) {
      const { monitor, output } = await run(long, far, long.bundle(["sh", "-c", "echo far; exit 2"], { terminal }))
      expect((await monitor.exited).exitCode).toBe(2)
      await output.ended
      expect(output.text(1)).toBe(terminal ? "far\r\n" : "far\n")
    }
  })
})

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
