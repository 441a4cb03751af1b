// One inode in its 64-byte extended form.
import { BLOCK_BITS, CHUNK_INDEXES, LAYOUT, LAYOUT_EXTENDED, MODE, NO_BLOCK } from "./format.ts"
import type { Node } from "./node.ts"
import { xattrCount } from "./xattr.ts"

/** What the layout of the index decided about a node. */
export type Placed = {
  /** Byte offset of the inode. */
  offset: number
  serial: number
  links: number
  xattrs: Buffer
  layout: (typeof LAYOUT)[keyof typeof LAYOUT]
  size: number
  /** First block of content that lies in the index itself. */
  block: number
  /** Size of a chunk, as a power of two. */
  chunkBits: number
}

export function writeInode(target: Buffer, node: Node, placed: Placed): void {
  const { offset, layout, size } = placed
  target.writeUInt16LE(LAYOUT_EXTENDED | (layout << 1), offset)
  target.writeUInt16LE(xattrCount(placed.xattrs.length), offset + 2)
  target.writeUInt16LE(MODE[node.type] | node.mode, offset + 4)
  writeUInt64(target, size, offset + 8)
  target.writeUInt32LE(union(node, placed), offset + 16)
  target.writeUInt32LE(placed.serial, offset + 20)
  target.writeUInt32LE(node.uid, offset + 24)
  target.writeUInt32LE(node.gid, offset + 28)
  writeInt64(target, node.mtime, offset + 32)
  target.writeUInt32LE(node.mtimeNanoseconds, offset + 40)
  target.writeUInt32LE(placed.links, offset + 44)
  placed.xattrs.copy(target, offset + 64)
}

/** What the field means depends on the type: a device, the format of chunks, or a block. */
function union(node: Node, { layout, block, chunkBits }: Placed): number {
  if (node.type === "character-device" || node.type === "block-device") return node.rdev
  if (layout === LAYOUT.CHUNKED) return CHUNK_INDEXES | (chunkBits - BLOCK_BITS)
  return node.type === "fifo" ? 0 : block === 0 ? NO_BLOCK : block
}

function writeUInt64(target: Buffer, value: number, offset: number): void {
  target.writeUInt32LE(value % 2 ** 32, offset)
  target.writeUInt32LE(Math.floor(value / 2 ** 32), offset + 4)
}

/** Two's complement in two halves: a big integer would be garbage for every file. */
function writeInt64(target: Buffer, value: number, offset: number): void {
  target.writeInt32LE(value | 0, offset)
  target.writeInt32LE(Math.floor(value / 2 ** 32), offset + 4)
}
