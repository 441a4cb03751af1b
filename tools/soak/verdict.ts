// The verdict over a soak: readings at rest, compared with one another. What the kernel holds may not grow at all, memory
// and descriptors by what a warm engine needs, the database up to the bound of its event log.
import type { Figures } from "./figures.ts"

const MIB = 1024 * 1024
/** What an engine may take beyond its first rest: caches, connections kept open, code that was compiled meanwhile. */
const MEMORY_SLACK = 24 * MIB
const MEMORY_PER_HOUR = 8 * MIB
const DESCRIPTOR_SLACK = 6
const THREAD_SLACK = 4
/** 20,000 events of about 600 bytes, and a write-ahead log. */
const DATABASE_LIMIT = 40 * MIB

export type Rest = { readonly minute: number; readonly figures: Figures }

const EXACT = [
  "processes",
  "monitors",
  "mounts",
  "cgroups",
  "namespaces",
  "interfaces",
  "rules",
  "stateFiles",
  "snapshots",
  "volumes",
] as const

/** What has grown, one line each; the first rest is the measure. Empty where all is well. */
export function judge(rests: readonly Rest[]): string[] {
  const [first, ...later] = rests
  const last = later.at(-1)
  if (first === undefined || last === undefined) return ["There were not two rests to compare"]
  const found: string[] = []
  for (const name of EXACT)
    if (last.figures[name] > first.figures[name])
      found.push(`${name}: ${first.figures[name]} at the first rest, ${last.figures[name]} at the last`)
  const hours = (last.minute - first.minute) / 60
  const allowed = MEMORY_SLACK + hours * MEMORY_PER_HOUR
  const grown = last.figures.memory - first.figures.memory
  if (grown > allowed) found.push(`memory: grew by ${mebibytes(grown)} MiB, ${mebibytes(allowed)} are allowed`)
  const slack = { descriptors: DESCRIPTOR_SLACK, threads: THREAD_SLACK } as const
  for (const name of ["descriptors", "threads"] as const)
    if (last.figures[name] > first.figures[name] + slack[name])
      found.push(`${name}: ${first.figures[name]} at the first rest, ${last.figures[name]} at the last`)
  if (last.figures.database > DATABASE_LIMIT)
    found.push(`database: ${mebibytes(last.figures.database)} MiB, ${mebibytes(DATABASE_LIMIT)} are allowed`)
  return found
}

export function mebibytes(bytes: number): string {
  return (bytes / MIB).toFixed(1)
}
