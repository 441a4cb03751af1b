// The supervisor with real conmon and crun.
import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import { openSupervisor } from "../src/supervisor/conmon.ts"
import type { Supervisor } from "../src/supervisor/contract.ts"
import { collect, type Fixture, openFixture, run } from "./supervisor-fixture.ts"

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

  test("passes on the runtime's own words when it cannot make the container, and leaves nothing", async () => {
    const options = fixture.bundle(["/no/such/program"])
    expect(supervisor.launch(options)).rejects.toThrow(/no\/such\/program/)
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
    const began = performance.now()
    await fixture.start(options.id)
    await monitor.exited
    await promise
    console.log("MB/s", 200 / ((performance.now() - began) / 1000))
    expect(bytes).toEqual({ 1: 100 << 20, 2: 100 << 20 })
  })
})
