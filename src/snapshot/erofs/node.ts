// One file of a layer in memory: what its inode will say. Names are the keys of its directories; a file with several
// names is one node in several places.
import type { NodeType } from "./format.ts"

/** A stretch of a file's content and where in the tar it lies. */
export type Extent = { readonly offset: number; readonly length: number; readonly tar: number }

export type Attributes = {
  mode: number
  uid: number
  gid: number
  mtime: number
  mtimeNanoseconds: number
  xattrs?: Map<string, Uint8Array>
}

type Of<Type extends NodeType> = Attributes & { readonly type: Type }

export type FileNode = Of<"file"> & { readonly size: number; readonly extents: readonly Extent[] }
export type SymlinkNode = Of<"symlink"> & { readonly target: string }
export type DeviceNode = Of<"character-device" | "block-device"> & { readonly rdev: number }
export type FifoNode = Of<"fifo">
export type DirectoryNode = Of<"directory"> & {
  readonly parent: DirectoryNode | undefined
  readonly depth: number
  readonly children: Map<string, Child>
}

export type Node = FileNode | SymlinkNode | DeviceNode | FifoNode | DirectoryNode

/** A hard link whose target has not been seen yet. */
export type PendingLink = { readonly type: "pending"; readonly target: string }

export type Child = Node | PendingLink

/** What overlayfs takes for "there is nothing of this name". */
export function whiteout(): DeviceNode {
  return { type: "character-device", mode: 0, uid: 0, gid: 0, mtime: 0, mtimeNanoseconds: 0, rdev: 0 }
}

export function isWhiteout(child: Child | undefined): boolean {
  return child?.type === "character-device" && child.rdev === 0
}
