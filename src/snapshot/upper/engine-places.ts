// Places that an engine makes in every container's root, to mount something there: empty, they are nothing that the
// container did. Docker makes the same ones below the container's own layer, where no diff and no commit sees them.
import type { BigIntStats } from "node:fs"

const DIRECTORIES: ReadonlySet<string> = new Set(["dev", "dev/mqueue", "dev/pts", "dev/shm", "etc", "proc", "sys"])
const FILES: ReadonlySet<string> = new Set([
  ".dockerenv",
  "dev/console",
  "etc/hostname",
  "etc/hosts",
  "etc/mtab",
  "etc/resolv.conf",
])

/** Such a directory counts only with what is in it. */
export function isEngineDirectory(path: string): boolean {
  return DIRECTORIES.has(path)
}

export function isEngineFile(path: string, stat: BigIntStats): boolean {
  return FILES.has(path) && stat.isFile() && stat.size === 0n
}
