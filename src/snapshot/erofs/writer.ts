// Writes the EROFS index of a layer: everything but the files' data, which stays in the tar. A pure function of the tar,
// so the same layer always gets the same index.
import { fstatSync, fsyncSync, ftruncateSync, readSync, writeSync } from "node:fs"
import { DhowError, describeError, errnoName } from "../../lib/errors.ts"
import { releaseGarbage } from "../../lib/syscalls/memory.ts"
import { encodeName } from "../../lib/tar/names.ts"
import type { Digest } from "../../oci/digest.ts"
import type { MadeLayer } from "../layer-form.ts"
import { type ChunkMap, type Copy, mapChunks } from "./chunks.ts"
import { direntsOf, pack, writeBlock } from "./dirent.ts"
import { BLOCK, CHUNK_INDEX_SIZE, INODE_SIZE, LAYOUT, NO_BLOCK, roundUp, SLOT } from "./format.ts"
import { type Placed, writeInode } from "./inode.ts"
import { type Layout, layOut } from "./layout.ts"
import type { Node } from "./node.ts"
import { readTree } from "./read-tree.ts"
import { writeSuperblock } from "./superblock.ts"

const TAR_DEVICE = 1
const COPY_BUFFER = 1 << 20

/** Reads the tar behind one descriptor and writes its index, durably, to the empty file behind the other. */
export function writeIndex(diffId: Digest, tar: number, index: number): MadeLayer {
  const tree = readTree(tar)
  // What reading and laying out leave behind is more than what they made; a collection takes milliseconds.
  releaseGarbage()
  const tarSize = fstatSync(tar).size
  const layout = layOut(tree.root, tarSize)
  releaseGarbage()
  const metadata = Buffer.alloc(layout.metadata)
  for (const [node, placed] of layout.nodes) writeNode(metadata, layout, node, placed)
  writeSuperblock(metadata, {
    diffId,
    blocks: (layout.metadata + layout.copied) / BLOCK,
    inodes: layout.nodes.size,
    tarBlocks: Math.ceil(tarSize / BLOCK),
  })
  ftruncateSync(index, layout.metadata + layout.copied)
  for (const copy of layout.copies) copyStretch(tar, index, copy)
  writeAll(index, metadata, 0)
  fsyncSync(index)
  return { size: tree.size, files: tree.files, rooted: tree.rooted }
}

function writeNode(target: Buffer, layout: Layout, node: Node, placed: Placed): void {
  writeInode(target, node, placed)
  const beside = placed.offset + INODE_SIZE + placed.xattrs.length
  if (node.type === "symlink")
    encodeName(node.target).copy(target, placed.layout === LAYOUT.INLINE ? beside : placed.block * BLOCK)
  else if (node.type === "file" && placed.layout === LAYOUT.CHUNKED) {
    const map = layout.chunks.get(node) ?? mapChunks(node, 0, layout.tarSize)
    writeChunks(target, roundUp(beside, CHUNK_INDEX_SIZE), map, layout.metadata / BLOCK)
  } else if (node.type === "directory") {
    const dirents = direntsOf(node)
    const { starts } = pack(dirents)
    const nidOf = (child: Node): number => layout.nodes.get(child)!.offset / SLOT
    for (const [at, from] of starts.entries()) {
      const to = starts[at + 1] ?? dirents.length
      const tail = at === starts.length - 1 && placed.layout === LAYOUT.INLINE
      writeBlock(target, tail ? beside : (placed.block + at) * BLOCK, { dirents, from, to }, nidOf)
    }
  }
}

/** `copied` is the first block of copied data. */
function writeChunks(target: Buffer, offset: number, { chunks }: ChunkMap, copied: number): void {
  for (const [at, chunk] of chunks.entries()) {
    const entry = offset + at * CHUNK_INDEX_SIZE
    const block = chunk.at === "hole" ? NO_BLOCK : chunk.at === "tar" ? chunk.block : copied + chunk.offset / BLOCK
    if (chunk.at === "hole") target.writeUInt16LE(0xffff, entry)
    target.writeUInt16LE(chunk.at === "tar" ? TAR_DEVICE : 0, entry + 2)
    target.writeUInt32LE(block, entry + 4)
  }
}

function copyStretch(tar: number, index: number, { tar: from, length, to }: Copy): void {
  const buffer = Buffer.allocUnsafe(Math.min(length, COPY_BUFFER))
  for (let done = 0; done < length; ) {
    const got = readSync(tar, buffer, 0, Math.min(buffer.length, length - done), from + done)
    if (got === 0) throw new DhowError("invalid", "The archive ends inside a file")
    writeAll(index, buffer.subarray(0, got), to + done)
    done += got
  }
}

function writeAll(fd: number, bytes: Uint8Array, position: number): void {
  for (let done = 0; done < bytes.length; ) done += writeSync(fd, bytes, done, bytes.length - done, position + done)
}

/** What went wrong, as the one who gave the archive should read it. */
export function describeIndexing(error: unknown): DhowError {
  if (error instanceof DhowError) return error
  const code = errnoName(error)
  const full = code === "ENOSPC" || code === "EDQUOT"
  const message = `Cannot write the index of a layer: ${describeError(error)}`
  return new DhowError("internal", message, { cause: error, ...(full ? { hint: "The disk is full" } : {}) })
}
