// Logs of real containers: followed and kept within bounds.
import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import { existsSync, linkSync, statSync } from "node:fs"
import { openSupervisor } from "../src/supervisor/conmon.ts"
import type { Monitor, Supervisor } from "../src/supervisor/contract.ts"
import { readLog } from "../src/supervisor/logs/read.ts"
import { listSegments } from "../src/supervisor/logs/segments.ts"
import { collect, type Fixture, openFixture, run } from "./support/supervisor.ts"

let fixture: Fixture
let supervisor: Supervisor

beforeAll(() => {
  fixture = openFixture()
  supervisor = openSupervisor({ execRoot: fixture.execRoot })
})
afterAll(() => fixture.remove())

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

  test("stays within its bounds, what an earlier engine left included", async () => {
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
