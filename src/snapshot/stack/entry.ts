// A file of a layer as it is told to others: plain values.
import type { FileEntry } from "../../wire/image-contents.ts"
import type { Node } from "../erofs/node.ts"

export function entryOf(node: Node): FileEntry {
  const { type, mode, uid, gid, mtime } = node
  const common = { type, mode, uid, gid, size: node.type === "file" ? node.size : 0, mtime }
  if (node.type === "symlink") return { ...common, target: node.target }
  if (node.type === "character-device" || node.type === "block-device")
    return { ...common, device: deviceOf(node.rdev) }
  return common
}

/** Bytes that the file takes in its layer. */
export function storedSize(node: Node): number {
  return node.type === "file" ? node.extents.reduce((sum, { length }) => sum + length, 0) : 0
}

export function deviceNumbers(rdev: number): { readonly major: number; readonly minor: number } {
  return { major: (rdev >>> 8) & 0xfff, minor: (rdev & 0xff) | ((rdev >>> 12) & 0xfff00) }
}

function deviceOf(rdev: number): string {
  const { major, minor } = deviceNumbers(rdev)
  return `${major}:${minor}`
}
