// Waiting for the disk would double the time of unpacking, so a layer is used before it is durable, and says so: a file
// names the boot it was unpacked in, and goes when everything is on disk. After a power failure the file is still there,
// or the layer is not, and the layer counts as lost. A crash of the engine alone loses nothing.
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { readIfExists, unlinkIfExists } from "../lib/files.ts"

export const UNSYNCED = "unsynced"

function bootId(): string {
  return readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim()
}

export function markUnsynced(layerDirectory: string): void {
  writeFileSync(join(layerDirectory, UNSYNCED), bootId(), { mode: 0o600 })
}

export type Durability = "durable" | "pending" | "lost"

/** Lost: the machine went down before the layer was on disk. Pending: this boot has not yet written it. */
export function durabilityOf(layerDirectory: string): Durability {
  const boot = readIfExists(join(layerDirectory, UNSYNCED))
  if (boot === undefined) return "durable"
  return boot === bootId() ? "pending" : "lost"
}

/** Makes a layer durable whose own process was killed before it could, behind the caller's back. */
export async function makeDurable(layerDirectory: string): Promise<void> {
  const sync = Bun.spawn(["sync", "-f", layerDirectory], { stdin: "ignore", stdout: "ignore", stderr: "ignore" })
  sync.unref()
  if ((await sync.exited) === 0) unlinkIfExists(join(layerDirectory, UNSYNCED))
}
