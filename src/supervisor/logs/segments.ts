// The files of one log. `path` is the one conmon writes; rotated ones are `path.1`, `path.2`, ... with growing numbers,
// perhaps compressed (`path.1.zst`). The live file's number is the one it will get. Rotation first links the live file
// under its number and then lets conmon begin a new one, so for a moment both names mean one file: it is listed once.
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

/** Oldest first. `rotating` says that the live file bears its number already. */
export function listSegments(path: string): { readonly segments: readonly Segment[]; readonly rotating: boolean } {
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
  const rotating = live !== undefined && live.inode === newest?.inode
  if (live !== undefined && !rotating) segments.push(live)
  return { segments, rotating }
}

/** Whether conmon writes to a file that is no longer the log's live one, and is to begin a new one. */
export function wasRotated(path: string): boolean {
  return inodeOf(path) === undefined || listSegments(path).rotating
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
