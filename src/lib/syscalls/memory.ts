// Gives back the pages of the program's own text: most were touched once, while it started. Text is never written, so
// letting it go loses nothing; what is needed again is mapped again from the page cache, without reading the disk.
import { readFileSync } from "node:fs"
import { libc } from "./libc.ts"

const MADV_DONTNEED = 4
/** Smaller mappings are not worth a call. */
const SMALLEST = 1024 * 1024

export function releaseText(): void {
  for (const line of readFileSync("/proc/self/maps", "utf8").split("\n")) {
    // Only file-backed and never writable: anything else would lose what was written to it.
    const match = /^([0-9a-f]+)-([0-9a-f]+) r-xp [0-9a-f]+ \S+ (?!0 )\d+ +\//.exec(line)
    if (match === null) continue
    const [, from = "", to = ""] = match
    const start = BigInt(`0x${from}`)
    const length = BigInt(`0x${to}`) - start
    if (length >= SMALLEST) libc().madvise(start, length, MADV_DONTNEED)
  }
}

/** Collects garbage at once and gives back what it held: some milliseconds in which nothing else runs. */
export function releaseGarbage(): void {
  Bun.gc(true)
  releaseText()
}
