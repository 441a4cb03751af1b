// Content of files where it lies in layers' tars: compared and copied without being held in memory.
import { readSync } from "node:fs"
import { DhowError } from "../../lib/errors.ts"
import type { FileNode } from "../erofs/node.ts"

const CHUNK = 256 * 1024
const mine = Buffer.allocUnsafeSlow(CHUNK)
const theirs = Buffer.allocUnsafeSlow(CHUNK)

export type Stored = { readonly node: FileNode; readonly fd: number }

/** Both are of one size. */
export function sameContent(a: Stored, b: Stored): boolean {
  for (let at = 0; at < a.node.size; at += CHUNK) {
    const length = Math.min(CHUNK, a.node.size - at)
    fill(mine.subarray(0, length), a, at)
    fill(theirs.subarray(0, length), b, at)
    if (Buffer.compare(mine.subarray(0, length), theirs.subarray(0, length)) !== 0) return false
  }
  return true
}

/** Bytes of the file from `offset` on, holes as zeros. */
function fill(target: Buffer, { node, fd }: Stored, offset: number): void {
  target.fill(0)
  const end = offset + target.length
  for (const extent of node.extents) {
    const from = Math.max(offset, extent.offset)
    const to = Math.min(end, extent.offset + extent.length)
    if (to > from) readFully(fd, target.subarray(from - offset, to - offset), extent.tar + from - extent.offset)
  }
}

function readFully(fd: number, target: Buffer, position: number): void {
  for (let done = 0; done < target.length; ) {
    const got = readSync(fd, target, done, target.length - done, position + done)
    if (got === 0) throw new DhowError("internal", "A layer's tar ends inside a file")
    done += got
  }
}
