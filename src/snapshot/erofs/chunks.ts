// How a file's content is found: in chunks of one size, each a hole, a place in the tar, or, where the tar's bytes do not
// lie on its blocks or a chunk is only partly stored, a place beside the index to which the bytes are copied. The number
// of chunks stays in proportion to what is stored, so that a small archive cannot ask for a large index.
import { BLOCK, MAX_CHUNK_BITS, roundUp } from "./format.ts"
import type { Extent, FileNode } from "./node.ts"

/** Larger chunks save nothing, and old readers compute in 32 bits. */
const USUAL_CHUNK_BITS = 30
const FEW = 64
const MANY = 1 << 20
const HOLE = { at: "hole" } as const

export type Chunk =
  | { readonly at: "hole" }
  | { readonly at: "tar"; readonly block: number }
  /** Byte offset in the area of copied data, on a block. */
  | { readonly at: "copy"; readonly offset: number }

export type Copy = { readonly tar: number; readonly length: number; readonly to: number }

export type ChunkMap = {
  readonly bits: number
  readonly chunks: readonly Chunk[]
  readonly copies: readonly Copy[]
  /** Bytes of the copied area that the file takes. */
  readonly copied: number
}

/** `free` is where the area of copied data goes on; `tarSize` bounds what can be read of the tar in whole blocks. */
export function mapChunks(file: Pick<FileNode, "size" | "extents">, free: number, tarSize: number): ChunkMap {
  const { size, extents } = file
  const bits = chunkBits(size, extents)
  const chunkSize = 2 ** bits
  const wholeBlocks = Math.floor(tarSize / BLOCK) * BLOCK
  const chunks: Chunk[] = []
  const copies: Copy[] = []
  let next = free
  let first = 0
  for (let start = 0; start < size; start += chunkSize) {
    const end = Math.min(start + chunkSize, size)
    while (first < extents.length && endOf(extents[first]!) <= start) first++
    const extent = extents[first]
    if (extent === undefined || extent.offset >= end) {
      chunks.push(HOLE)
      continue
    }
    const tar = extent.tar + start - extent.offset
    const lies = extent.offset <= start && endOf(extent) >= end && tar % BLOCK === 0
    if (lies && tar + roundUp(end - start, BLOCK) <= wholeBlocks) {
      chunks.push({ at: "tar", block: tar / BLOCK })
      continue
    }
    chunks.push({ at: "copy", offset: next })
    for (let at = first; at < extents.length && extents[at]!.offset < end; at++) {
      const one = extents[at]!
      const from = Math.max(one.offset, start)
      const length = Math.min(endOf(one), end) - from
      copies.push({ tar: one.tar + from - one.offset, length, to: next + from - start })
    }
    next += roundUp(end - start, BLOCK)
  }
  return { bits, chunks, copies, copied: next - free }
}

function chunkBits(size: number, extents: readonly Extent[]): number {
  const whole = Math.min(USUAL_CHUNK_BITS, atLeast(size))
  const only = extents[0]
  if (extents.length === 1 && only!.length === size) return whole
  const stored = extents.reduce((sum, { length }) => sum + length, 0)
  const most = Math.min(MANY, FEW + Math.floor(stored / 64))
  let bits = Math.min(whole, alignment(size, extents))
  while (bits < MAX_CHUNK_BITS && Math.ceil(size / 2 ** bits) > most) bits++
  return bits
}

/** The smallest chunk that holds `size` bytes. */
function atLeast(size: number): number {
  let bits = Math.log2(BLOCK)
  while (2 ** bits < size && bits < MAX_CHUNK_BITS) bits++
  return bits
}

/** The largest chunk of which no stretch holds a part only. */
function alignment(size: number, extents: readonly Extent[]): number {
  let bits = USUAL_CHUNK_BITS
  for (const extent of extents)
    for (const edge of [extent.offset, endOf(extent)])
      while (bits > Math.log2(BLOCK) && edge !== size && edge % 2 ** bits !== 0) bits--
  return bits
}

function endOf({ offset, length }: Extent): number {
  return offset + length
}
