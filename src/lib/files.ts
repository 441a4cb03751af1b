// The one durable write path (write, fsync, rename, fsync the directory) and small file helpers on top of node:fs.
import {
  closeSync,
  constants,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  unlinkSync,
  writeSync,
} from "node:fs"
import { dirname } from "node:path"
import { errnoName } from "./errors.ts"

let serial = 0

/** Replaces `path` so that after a crash it holds either the old bytes or all of the new ones. */
export function writeDurably(path: string, data: string | Uint8Array, mode = 0o600): void {
  const temporary = `${path}.tmp-${process.pid}-${serial++}`
  const fd = openSync(temporary, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, mode)
  try {
    try {
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

/** Removes a file; one that is already gone is fine. */
export function unlinkIfExists(path: string): void {
  try {
    unlinkSync(path)
  } catch (error) {
    if (errnoName(error) !== "ENOENT") throw error
  }
}
