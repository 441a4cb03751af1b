// Clearing a container's log while it runs: conmon begins a new file, and what was written before goes. The newest
// rotated file stays, empty: numbers of files go on, and who follows the log finds its place.
import { lstatSync, readdirSync, truncateSync, writeFileSync } from "node:fs"
import { basename, dirname, join } from "node:path"
import { DhowError, errnoName } from "../../lib/errors.ts"
import { unlinkIfExists } from "../../lib/files.ts"
import { numberLive } from "../../supervisor/logs/rotate.ts"
import { inodeOf, listSegments } from "../../supervisor/logs/segments.ts"
import { feedLog } from "./feed-log.ts"
import { logOf } from "./log-settings.ts"
import type { ContainerParts } from "./parts.ts"
import { containerPaths } from "./paths.ts"

const LOOK_MS = 5
/** conmon obeys within some milliseconds, unless it waits for a client. */
const LOOKS = 1000

/** Returns the bytes that were given back. */
export async function clearContainerLog(parts: ContainerParts, id: string): Promise<number> {
  return await parts.locks.hold(id, async () => {
    const { record } = parts.store.get(id)
    const { logPath: path } = logOf(parts, record)
    if (path === undefined) throw new DhowError("invalid", `Container "${record.name}" keeps no log`)
    const before = logBytes(parts, id)
    const monitor = parts.live.find(id)?.monitor
    await parts.forwarders.stop(id)
    try {
      if (monitor !== undefined) await beginAnew(path, () => monitor.reopenLog())
      clearFiles(path, monitor === undefined)
      const { jsonLog } = containerPaths(parts.config, id)
      for (const name of namesOf(jsonLog)) unlinkIfExists(join(dirname(jsonLog), name))
    } finally {
      if (monitor !== undefined) feedLog(parts, record, { monitor })
    }
    return Math.max(0, before - logBytes(parts, id))
  })
}

/** Bytes on the disk of a container's log, in all its files. */
export function logBytes(parts: Pick<ContainerParts, "config">, id: string): number {
  const { log, jsonLog } = containerPaths(parts.config, id)
  return bytesOf(log) + bytesOf(jsonLog)
}

export function bytesOf(path: string): number {
  // The live file has two names.
  const sizes = new Map<number, number>()
  for (const name of namesOf(path)) {
    const status = lstatSync(join(dirname(path), name), { throwIfNoEntry: false })
    if (status !== undefined) sizes.set(status.ino, status.blocks * 512)
  }
  return [...sizes.values()].reduce((total, size) => total + size, 0)
}

async function beginAnew(path: string, reopen: () => void): Promise<void> {
  const inode = inodeOf(path)
  if (inode === undefined) return
  numberLive(path)
  reopen()
  for (let looks = 0; inodeOf(path) === inode; looks++) {
    if (looks === LOOKS)
      throw new DhowError("conflict", "Cannot clear the log: its writer waits for a client that does not read")
    await Bun.sleep(LOOK_MS)
  }
}

function clearFiles(path: string, withLive: boolean): void {
  const rotated = listSegments(path).segments.filter((segment) => segment.path !== path)
  const newest = rotated.at(-1)
  // Compressed ones with it: the plain file of a number is the one that counts.
  if (newest?.compressed) writeFileSync(`${path}.${newest.number}`, "", { mode: 0o600 })
  for (const segment of rotated) if (segment !== newest || segment.compressed) unlinkIfExists(segment.path)
  if (newest !== undefined) truncate(`${path}.${newest.number}`)
  if (withLive) truncate(path)
}

function truncate(path: string): void {
  try {
    truncateSync(path, 0)
  } catch (error) {
    if (errnoName(error) !== "ENOENT") throw error
  }
}

function namesOf(path: string): readonly string[] {
  try {
    return readdirSync(dirname(path)).filter((name) => name.startsWith(basename(path)))
  } catch (error) {
    if (errnoName(error) === "ENOENT") return []
    throw error
  }
}
