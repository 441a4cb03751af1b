// Parts of a blob whose transfer was cut off, in a file of their own beside the ingests: the blob's bytes where they
// belong, and behind them how far each segment is filled. Bytes are written before the count that names them, and nothing
// is synced: after a power failure a part may be wrong, and whoever goes on from it learns so from the digest of the whole.
import {
  closeSync,
  constants,
  fstatSync,
  ftruncateSync,
  openSync,
  read,
  readSync,
  statSync,
  write,
  writeSync,
} from "node:fs"
import { promisify } from "node:util"
import { DhowError } from "../lib/errors.ts"
import { unlinkIfExists } from "../lib/files.ts"
import { type Digest, hexOf } from "../oci/digest.ts"
import type { Partial } from "./contract.ts"

const PREFIX = "partial-"
const KEPT_MILLISECONDS = 7 * 24 * 60 * 60 * 1000
const READ_SIZE = 128 * 1024
/** What one request fetches: large enough that asking costs nothing beside it. */
export const SEGMENT_SIZE = 8 << 20
const COUNT_BYTES = 8

const readAt = promisify(read)
const writeAt = promisify(write)

export function partialName(digest: Digest): string {
  return PREFIX + hexOf(digest)
}

/** Whether the sweep leaves a file alone: somebody may yet come back for it. */
export function isKeptPartial(name: string, path: string): boolean {
  return name.startsWith(PREFIX) && statSync(path).mtimeMs > Date.now() - KEPT_MILLISECONDS
}

export function openPartial(path: string, size: number, use: Disposable): Partial {
  const count = Math.ceil(size / SEGMENT_SIZE)
  const fd = openSync(path, constants.O_RDWR | constants.O_CREAT, 0o600)
  const segments = Array.from({ length: count }, (_, index) => {
    const from = index * SEGMENT_SIZE
    return { index, from, to: Math.min(size, from + SEGMENT_SIZE), filled: 0 }
  })
  readCounts(fd, size, segments)
  let isOpen = true
  const filled = (): number => segments.reduce((sum, segment) => sum + segment.filled, 0)
  return {
    segments,
    get filled() {
      return filled()
    },
    reaches(at) {
      let to = at
      for (let index = Math.floor(at / SEGMENT_SIZE); index < count; index++) {
        const segment = segments[index]!
        const end = segment.from + segment.filled
        if (end > to) to = end
        if (end < segment.to) break
      }
      return to - at
    },
    async *read(from, to) {
      for (let at = from; at < to; ) {
        const length = Math.min(READ_SIZE, to - at)
        const { bytesRead, buffer } = await readAt(fd, Buffer.allocUnsafe(length), 0, length, at)
        if (bytesRead === 0) throw new DhowError("internal", `Partial file "${path}" became shorter`)
        at += bytesRead
        yield buffer.subarray(0, bytesRead)
      }
    },
    async append({ index }, chunk) {
      const segment = segments[index]!
      if (segment.filled + chunk.length > segment.to - segment.from)
        throw new DhowError("internal", `More bytes than segment ${index} of "${path}" has room for`)
      for (let done = 0; done < chunk.length; ) {
        const at = segment.from + segment.filled + done
        done += (await writeAt(fd, chunk, done, chunk.length - done, at)).bytesWritten
      }
      segment.filled += chunk.length
      const bytes = Buffer.alloc(COUNT_BYTES)
      bytes.writeBigUInt64LE(BigInt(segment.filled))
      writeSync(fd, bytes, 0, COUNT_BYTES, size + index * COUNT_BYTES)
    },
    discard() {
      unlinkIfExists(path)
      for (const segment of segments) segment.filled = 0
    },
    async [Symbol.asyncDispose]() {
      if (!isOpen) return
      isOpen = false
      closeSync(fd)
      // An empty one is no beginning.
      if (filled() === 0) unlinkIfExists(path)
      use[Symbol.dispose]()
    },
  }
}

/** A file of another length is of another blob, or of another way to keep one: it is emptied. */
function readCounts(fd: number, size: number, segments: { from: number; to: number; filled: number }[]): void {
  const whole = size + segments.length * COUNT_BYTES
  if (fstatSync(fd).size !== whole) {
    ftruncateSync(fd, 0)
    ftruncateSync(fd, whole)
    return
  }
  const counts = Buffer.alloc(segments.length * COUNT_BYTES)
  readSync(fd, counts, 0, counts.length, size)
  for (const [index, segment] of segments.entries()) {
    const count = Number(counts.readBigUInt64LE(index * COUNT_BYTES))
    segment.filled = count <= segment.to - segment.from ? count : 0
  }
}
