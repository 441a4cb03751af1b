// A snapshotter that is killed at any of its crash points leaves only garbage, which one sweep removes. Needs root.
import { expect, test } from "bun:test"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { encodeTarHeader } from "../../src/lib/tar/writer.ts"
import type { StorageDriver } from "../../src/snapshot/open.ts"
import { unmountBelow } from "./fixture.ts"

const CRASHES = [
  "content.ingest:before-rename",
  "content.ingest:before-row",
  "content.remove:before-file",
  "snapshot.add-layer:before-rename",
  "snapshot.add-layer:before-row",
  "snapshot.prepare:before-row",
  "snapshot.remove:before-files",
  "snapshot.remove-layer:before-files",
]

export function crashContract(driver: StorageDriver): void {
  for (const point of CRASHES) crash(driver, point)
}

function crash(driver: StorageDriver, point: string): void {
  test(`a crash of ${driver} at ${point} leaves only what the sweep removes`, async () => {
    const state = mkdtempSync(join(tmpdir(), "dhow-crash-"))
    const archive = join(state, "layer.tar")
    writeFileSync(archive, Buffer.concat([encodeTarHeader({ path: "a", type: "file" }), Buffer.alloc(1024)]))
    const killed = Bun.spawnSync([process.execPath, join(import.meta.dir, "crash-steps.ts"), state, archive, driver], {
      env: { ...process.env, DHOW_CRASH_AT: point },
    })
    expect([killed.signalCode, killed.stderr.toString()]).toEqual(["SIGKILL", ""])

    const after = Bun.spawnSync([process.execPath, join(import.meta.dir, "crash-check.ts"), state, archive, driver])
    expect([after.exitCode, after.stderr.toString()]).toEqual([0, ""])
    const { swept, again } = JSON.parse(after.stdout.toString()) as { swept: number; again: number }
    expect([swept > 0, again]).toEqual([true, 0])
    expect(unmountBelow(state)).toEqual([])
    rmSync(state, { recursive: true })
  })
}
