// Decides where everything of an index lies, before a byte is written: inodes from ROOT_OFFSET on, a directory's files
// beside it; then the content of directories and links that does not fit beside its inode; then copied data. What is
// quick to find out again is not kept: a layer may have a million files.
import { DhowError } from "../../lib/errors.ts"
import { encodeName } from "../../lib/tar/names.ts"
import { type ChunkMap, type Copy, mapChunks } from "./chunks.ts"
import { direntsOf, pack } from "./dirent.ts"
import { BLOCK, CHUNK_INDEX_SIZE, INODE_SIZE, LAYOUT, MAX_DEVICE_SIZE, ROOT_OFFSET, roundUp, SLOT } from "./format.ts"
import type { Placed } from "./inode.ts"
import type { DirectoryNode, FileNode, Node, SymlinkNode } from "./node.ts"
import { encodeXattrs } from "./xattr.ts"

/** Far more than any real layer needs; the index is put together in memory. */
const MAX_INDEX = 2 ** 30

export type Layout = {
  readonly nodes: ReadonlyMap<Node, Placed>
  /** Of files that take more than one chunk, or any copied data. */
  readonly chunks: ReadonlyMap<FileNode, ChunkMap>
  readonly tarSize: number
  readonly copies: readonly Copy[]
  /** Bytes of metadata: a whole number of blocks, after which copied data begins. */
  readonly metadata: number
  readonly copied: number
}

export function layOut(root: DirectoryNode, tarSize: number): Layout {
  const builder = new Builder(tarSize)
  builder.place(root)
  return builder.finish()
}

class Builder {
  readonly #tarSize: number
  readonly #nodes = new Map<Node, Placed>()
  readonly #chunks = new Map<FileNode, ChunkMap>()
  readonly #copies: Copy[] = []
  /** Those whose content gets blocks of its own, in their order. */
  readonly #withBlocks: { readonly placed: Placed; readonly blocks: number }[] = []
  #end = ROOT_OFFSET
  #copied = 0

  constructor(tarSize: number) {
    this.#tarSize = tarSize
  }

  place(root: DirectoryNode): void {
    this.#directory(root)
    const open = [root]
    for (let directory = open.pop(); directory !== undefined; directory = open.pop()) {
      const below: DirectoryNode[] = []
      for (const { name, node } of direntsOf(directory)) {
        if (node.type !== "directory") this.#file(node)
        else if (!isDots(name)) {
          this.#directory(node)
          this.#nodes.get(directory)!.links++
          below.push(node)
        }
      }
      for (const one of below.reverse()) open.push(one)
    }
  }

  finish(): Layout {
    let block = roundUp(this.#end, BLOCK) / BLOCK
    for (const { placed, blocks } of this.#withBlocks) {
      placed.block = block
      block += blocks
    }
    const metadata = block * BLOCK
    checkSize(metadata)
    if (metadata + this.#copied > MAX_DEVICE_SIZE || this.#tarSize > MAX_DEVICE_SIZE)
      throw new DhowError("invalid", "The layer is too large for an index")
    const copies = this.#copies.map(({ tar, length, to }) => ({ tar, length, to: metadata + to }))
    const { nodes, chunks, tarSize } = { nodes: this.#nodes, chunks: this.#chunks, tarSize: this.#tarSize }
    return { nodes, chunks, tarSize, copies, metadata, copied: this.#copied }
  }

  #directory(node: DirectoryNode): void {
    const { starts, last } = pack(direntsOf(node))
    const full = (starts.length - 1) * BLOCK
    this.#inode(node, { size: full + last, tail: last, links: 2 })
  }

  #file(node: Exclude<Node, DirectoryNode>): void {
    const seen = this.#nodes.get(node)
    if (seen !== undefined) seen.links++
    else if (node.type === "file") this.#regular(node)
    else if (node.type === "symlink") this.#symlink(node)
    else this.#inode(node, { size: 0, tail: 0, links: 1 })
  }

  #symlink(node: SymlinkNode): void {
    const { length } = encodeName(node.target)
    this.#inode(node, { size: length, tail: length, links: 1 })
  }

  #regular(node: FileNode): void {
    if (node.size === 0) {
      this.#inode(node, { size: 0, tail: 0, links: 1 })
      return
    }
    const map = mapChunks(node, this.#copied, this.#tarSize)
    this.#copied += map.copied
    for (const copy of map.copies) this.#copies.push(copy)
    if (map.chunks.length > 1 || map.copied > 0) this.#chunks.set(node, map)
    const xattrs = encodeXattrs(node.xattrs)
    const length = roundUp(INODE_SIZE + xattrs.length, CHUNK_INDEX_SIZE) + map.chunks.length * CHUNK_INDEX_SIZE
    this.#add(node, length, { xattrs, layout: LAYOUT.CHUNKED, size: node.size, chunkBits: map.bits, links: 1 })
  }

  /** Content of the index itself: the tail beside the inode where one block holds both, blocks of its own otherwise. */
  #inode(node: Node, content: { readonly size: number; readonly tail: number; readonly links: number }): void {
    const { size, tail, links } = content
    const xattrs = encodeXattrs(node.xattrs)
    const beside = INODE_SIZE + xattrs.length + tail
    const inline = size > 0 && beside <= BLOCK && (node.type === "directory" || size === tail)
    if (inline && (this.#end % BLOCK) + beside > BLOCK) this.#end = roundUp(this.#end, BLOCK)
    const layout = inline ? LAYOUT.INLINE : LAYOUT.PLAIN
    const length = inline ? beside : INODE_SIZE + xattrs.length
    const placed = this.#add(node, length, { xattrs, layout, size, chunkBits: 0, links })
    const blocks = inline ? (size - tail) / BLOCK : roundUp(size, BLOCK) / BLOCK
    if (blocks > 0) this.#withBlocks.push({ placed, blocks })
  }

  #add(node: Node, length: number, rest: Omit<Placed, "offset" | "serial" | "block">): Placed {
    const placed: Placed = { ...rest, offset: this.#end, serial: this.#nodes.size + 1, block: 0 }
    this.#nodes.set(node, placed)
    this.#end = roundUp(this.#end + length, SLOT)
    checkSize(this.#end)
    return placed
  }
}

function checkSize(size: number): void {
  if (size > MAX_INDEX) throw new DhowError("invalid", `The layer needs an index of more than ${MAX_INDEX} bytes`)
}

function isDots(name: Buffer): boolean {
  return name[0] === 0x2e && (name.length === 1 || (name.length === 2 && name[1] === 0x2e))
}
