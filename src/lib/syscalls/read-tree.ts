// The calls that read a tree of files whose names may be any bytes: paths are buffers, without their final NUL.
import { dlopen } from "bun:ffi"
import { errnoName } from "../errors.ts"
import { decodeName, encodeName } from "../tar/names.ts"
import { check, lastError, libc } from "./libc.ts"

const SEEK_DATA = 3
const SEEK_HOLE = 4
const VALUE_LIMIT = 64 * 1024
const NUL = Buffer.alloc(1)

let seek: ReturnType<typeof openSeek> | undefined
const scratch = Buffer.alloc(VALUE_LIMIT)

function openSeek() {
  // Opened first: opening it at the first failure would overwrite the errno of that failure.
  libc()
  return dlopen("libc.so.6", { lseek: { args: ["i32", "i64", "i32"], returns: "i64" } }).symbols.lseek
}

/** Names of the extended attributes of the file itself; a symbolic link is not followed. */
export function listXattrs(path: Buffer): readonly string[] {
  const length = Number(libc().llistxattr(Buffer.concat([path, NUL]), scratch, BigInt(VALUE_LIMIT)))
  if (length === 0) return []
  if (length < 0) {
    const error = lastError("llistxattr", decodeName(path))
    if (isWithout(error)) return []
    throw error
  }
  const names: string[] = []
  for (let at = 0; at < length; ) {
    const end = scratch.indexOf(0, at)
    names.push(decodeName(scratch.subarray(at, end)))
    at = end + 1
  }
  return names
}

/** Undefined where the file has no such attribute. */
export function getXattr(path: Buffer, name: string): Buffer | undefined {
  const key = Buffer.concat([encodeName(name), NUL])
  const length = Number(libc().lgetxattr(Buffer.concat([path, NUL]), key, scratch, BigInt(VALUE_LIMIT)))
  if (length >= 0) return Buffer.from(scratch.subarray(0, length))
  const error = lastError("lgetxattr", decodeName(path))
  if (isWithout(error)) return undefined
  throw error
}

/** File systems without attributes have none. */
function isWithout(error: unknown): boolean {
  const code = errnoName(error)
  return code === "ENODATA" || code === "EOPNOTSUPP" || code === "ENOTSUP"
}

export type Stretch = { readonly offset: number; readonly length: number }

/** The stretches of an open file that are stored; what lies between them reads as zeros. At most `limit` of them. */
export function dataStretches(fd: number, size: number, limit = 4096): readonly Stretch[] {
  seek ??= openSeek()
  const stretches: Stretch[] = []
  for (let at = 0; at < size; ) {
    const start = Number(seek(fd, BigInt(at), SEEK_DATA))
    if (start < 0) {
      const error = lastError("lseek")
      if (errnoName(error) === "ENXIO") break
      // Not every file system tells.
      return [{ offset: 0, length: size }]
    }
    if (start >= size) break
    const end = Math.min(check(seek(fd, BigInt(start), SEEK_HOLE), "lseek"), size)
    stretches.push({ offset: start, length: end - start })
    if (stretches.length > limit) return [{ offset: 0, length: size }]
    at = end
  }
  return stretches
}
