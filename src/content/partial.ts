// The beginning of a blob whose transfer was cut off, in a file of its own beside the ingests. Nothing is synced: after a
// power failure its end may be wrong, and whoever goes on from it learns so from the digest of the whole.
import { closeSync, constants, fstatSync, openSync, read, statSync, write } from "node:fs"
import { promisify } from "node:util"
import { unlinkIfExists } from "../lib/files.ts"
import { type Digest, hexOf } from "../oci/digest.ts"
import type { Partial } from "./contract.ts"

const PREFIX = "partial-"
const KEPT_MILLISECONDS = 7 * 24 * 60 * 60 * 1000
const READ_SIZE = 256 * 1024

const readAt = promisify(read)
const writeAt = promisify(write)

export function partialName(digest: Digest): string {
  return PREFIX + hexOf(digest)
}

/** Whether the sweep leaves a file alone: somebody may yet come back for it. */
export function isKeptPartial(name: string, path: string): boolean {
  return name.startsWith(PREFIX) && statSync(path).mtimeMs > Date.now() - KEPT_MILLISECONDS
}

export function openPartial(path: string, use: Disposable): Partial {
  const fd = openSync(path, constants.O_RDWR | constants.O_CREAT, 0o600)
  let size = fstatSync(fd).size
  let isOpen = true
  return {
    get size() {
      return size
    },
    async *read() {
      const end = size
      for (let at = 0; at < end; ) {
        const { bytesRead, buffer } = await readAt(fd, Buffer.allocUnsafe(READ_SIZE), 0, READ_SIZE, at)
        if (bytesRead === 0) return
        at += bytesRead
        yield buffer.subarray(0, bytesRead)
      }
    },
    async append(chunk) {
      for (let done = 0; done < chunk.length; ) {
        const { bytesWritten } = await writeAt(fd, chunk, done, chunk.length - done, size)
        done += bytesWritten
        size += bytesWritten
      }
    },
    discard() {
      unlinkIfExists(path)
    },
    async [Symbol.asyncDispose]() {
      if (!isOpen) return
      isOpen = false
      closeSync(fd)
      // An empty one is no beginning.
      if (size === 0) unlinkIfExists(path)
      use[Symbol.dispose]()
    },
  }
}
