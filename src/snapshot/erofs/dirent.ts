// Directory content: blocks of their own, each a sorted table of entries followed by the names, so that a reader finds a
// name by bisection, first among the blocks and then inside one.
import { encodeName } from "../../lib/tar/names.ts"
import { BLOCK, DIRENT_SIZE, DIRENT_TYPE } from "./format.ts"
import type { DirectoryNode, Node } from "./node.ts"

export type Dirent = { readonly name: Buffer; readonly node: Node }

/** All entries with "." and "..", in the order of their bytes. */
export function direntsOf(directory: DirectoryNode): readonly Dirent[] {
  const names = [...directory.children.keys()]
  // The order of strings is that of their bytes as long as they are ASCII, and much faster to find.
  if (names.every(isAscii)) names.sort((a, b) => (a < b ? -1 : 1))
  const dirents: Dirent[] = names.map((name) => {
    const node = directory.children.get(name)!
    if (node.type === "pending") throw new TypeError("A hard link was not resolved")
    return { name: encodeName(name), node }
  })
  dirents.push(
    { name: Buffer.from("."), node: directory },
    { name: Buffer.from(".."), node: directory.parent ?? directory },
  )
  return dirents.sort((a, b) => a.name.compare(b.name))
}

function isAscii(name: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: names may hold them
  return /^[\x00-\x7f]*$/.test(name)
}

/** Where each block of the directory begins among its entries, and how many bytes the last one uses. */
export type Packing = { readonly starts: readonly number[]; readonly last: number }

export function pack(dirents: readonly Dirent[]): Packing {
  const starts = [0]
  let used = 0
  for (const [at, { name }] of dirents.entries()) {
    const length = DIRENT_SIZE + name.length
    if (used + length > BLOCK) {
      starts.push(at)
      used = 0
    }
    used += length
  }
  return { starts, last: used }
}

/** Writes the entries [from, to) as one block at `offset`. */
export function writeBlock(
  target: Buffer,
  offset: number,
  { dirents, from, to }: { readonly dirents: readonly Dirent[]; readonly from: number; readonly to: number },
  nidOf: (node: Node) => number,
): void {
  let nameOffset = (to - from) * DIRENT_SIZE
  for (let at = from; at < to; at++) {
    const { name, node } = dirents[at]!
    const entry = offset + (at - from) * DIRENT_SIZE
    const nid = nidOf(node)
    target.writeUInt32LE(nid >>> 0, entry)
    target.writeUInt32LE(Math.floor(nid / 2 ** 32), entry + 4)
    target.writeUInt16LE(nameOffset, entry + 8)
    target[entry + 10] = DIRENT_TYPE[node.type]
    name.copy(target, offset + nameOffset)
    nameOffset += name.length
  }
}
