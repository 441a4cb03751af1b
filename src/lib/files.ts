// The one durable write path (write, fsync, rename, fsync the directory) and small file helpers on top of node:fs.
import {
  closeSync,
  constants,
  fchownSync,
  fstatSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  unlinkSync,
  writeSync,
} from "node:fs"
import { rm } from "node:fs/promises"
import { dirname } from "node:path"
import { DhowError, errnoName } from "./errors.ts"

let serial = 0

type As = { readonly mode?: number; readonly owner?: { readonly uid: number; readonly gid: number } }

/** Replaces `path` so that after a crash it holds either the old bytes or all of the new ones. */
export function writeDurably(path: string, data: string | Uint8Array, as: number | As = 0o600): void {
  const { mode = 0o600, owner } = typeof as === "number" ? { mode: as } : as
  const temporary = `${path}.tmp-${process.pid}-${serial++}`
  const fd = openSync(temporary, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, mode)
  try {
    try {
      if (owner !== undefined) {
        const made = fstatSync(fd)
        if (made.uid !== owner.uid || made.gid !== owner.gid) fchownSync(fd, owner.uid, owner.gid)
      }
      writeAll(fd, typeof data === "string" ? Buffer.from(data) : data)
      fsyncSync(fd)
    } finally {
      closeSync(fd)
    }
    renameSync(temporary, path)
  } catch (error) {
    rmSync(temporary, { force: true })
    throw error
  }
  syncDirectory(dirname(path))
}

/** Writes every byte, however many calls it takes. */
export function writeAll(fd: number, data: Uint8Array): void {
  for (let offset = 0; offset < data.length; ) offset += writeSync(fd, data, offset, data.length - offset)
}

/** Makes earlier creations, renames and removals in a directory durable. */
export function syncDirectory(path: string): void {
  const fd = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY)
  try {
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}

/** The text of a file, or undefined where it does not exist; any other failure is thrown. */
export function readIfExists(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8")
  } catch (error) {
    if (errnoName(error) === "ENOENT") return undefined
    throw error
  }
}

/** Creates a directory and its parents; an existing one keeps its mode. */
export function ensureDirectory(path: string, mode = 0o711): void {
  mkdirSync(path, { recursive: true, mode })
}

/**
 * Removes a tree of files, whatever their names and however deep; fine when there is none. Where somebody else deletes in
 * it at the same moment, rm stops at the first file that is gone before it and reports success, so it is asked again until
 * nothing is there.
 */
export async function removeTree(path: string): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    await rm(path, { recursive: true, force: true })
    if (lstatSync(path, { throwIfNoEntry: false }) === undefined) return
    if (attempt === 100) throw new DhowError("conflict", `cannot delete ${path}: it is being written to`)
  }
}

/** Removes a file; one that is already gone is fine. */
export function unlinkIfExists(path: string): void {
  try {
    unlinkSync(path)
  } catch (error) {
    if (errnoName(error) !== "ENOENT") throw error
  }
}
