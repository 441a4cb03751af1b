// The files of one log. `path` is the one conmon writes; each file also bears a number, `path.1`, `path.2`, ... growing, perhaps
// compressed (`path.1.zst`). The live one gets its number (a hard link) a moment after it was begun: until then it has the
// next one. It is listed once.
import { closeSync, openSync, readdirSync, readSync, statSync } from "node:fs"
import { basename, dirname, join } from "node:path"
import { errnoName } from "../../lib/errors.ts"

export const COMPRESSED = ".zst"

export type Segment = {
  readonly number: number
  readonly path: string
  readonly compressed: boolean
  readonly inode: number
  readonly size: number
  /** Milliseconds since 1970 of the last write. */
  readonly modified: number
}

/** Oldest first. */
export function listSegments(path: string): { readonly segments: readonly Segment[] } {
  const prefix = `${basename(path)}.`
  const rotated = new Map<number, Segment>()
  for (const name of readDirectory(dirname(path))) {
    if (!name.startsWith(prefix)) continue
    const match = /^(\d+)(\.zst)?$/.exec(name.slice(prefix.length))
    if (match === null) continue
    const number = Number(match[1])
    const compressed = match[2] !== undefined
    // A crash between compressing and removing leaves both: the plain one is whole for certain.
    if (compressed && rotated.has(number)) continue
    const segment = segmentAt(join(dirname(path), name), number, compressed)
    if (segment !== undefined) rotated.set(number, segment)
  }
  const segments = [...rotated.values()].sort((a, b) => a.number - b.number)
  const newest = segments.at(-1)
  const live = segmentAt(path, (newest?.number ?? 0) + 1, false)
  if (live !== undefined && live.inode !== newest?.inode) segments.push(live)
  return { segments }
}

export function inodeOf(path: string): number | undefined {
  try {
    return statSync(path).ino
  } catch (error) {
    if (errnoName(error) === "ENOENT") return undefined
    throw error
  }
}

function segmentAt(path: string, number: number, compressed: boolean): Segment | undefined {
  try {
    const { ino: inode, size, mtimeMs: modified } = statSync(path)
    return { number, path, compressed, inode, size, modified }
  } catch (error) {
    if (errnoName(error) === "ENOENT") return undefined
    throw error
  }
}

function readDirectory(path: string): readonly string[] {
  try {
    return readdirSync(path)
  } catch (error) {
    if (errnoName(error) === "ENOENT") return []
    throw error
  }
}

const FIRST_BYTES = 64

/** How a plain file begins: with the time of its first record, which tells it from another file under its number. */
export function firstRecord(path: string): string {
  let fd: number
  try {
    fd = openSync(path, "r")
  } catch (error) {
    if (errnoName(error) === "ENOENT") return ""
    throw error
  }
  try {
    const buffer = Buffer.alloc(FIRST_BYTES)
    return buffer.toString("latin1", 0, readSync(fd, buffer, 0, FIRST_BYTES, 0))
  } finally {
    closeSync(fd)
  }
}
