// The supervisor with real conmon and crun.
import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import { readdirSync } from "node:fs"
import { join } from "node:path"
import { openSupervisor } from "../src/supervisor/conmon.ts"
import type { LaunchOptions, Monitor, Supervisor } from "../src/supervisor/contract.ts"
import { isAlive } from "../src/supervisor/process.ts"
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

describe("forget()", () => {
  test("leaves no exit file, even of a process that is only just being ended", async () => {
    const options = fixture.bundle(["sleep", "1000"])
    const { monitor } = await run(fixture, supervisor, options)
    process.kill(monitor.pid, "SIGKILL")
    supervisor.forget(options.id)
    await monitor.exited
    expect(readdirSync(join(fixture.execRoot, "exits"))).not.toContain(options.id)
    expect(readdirSync(options.bundle).sort()).toEqual(["config.json", "container.log"])
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
