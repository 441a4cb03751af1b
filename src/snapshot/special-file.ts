// Making what a tar archive names that is neither a directory nor a file with content.
import { constants } from "node:fs"
import { makeNode, makeSymlink } from "../lib/syscalls/tree.ts"
import type { TarEntry } from "../lib/tar/entry.ts"

export type SpecialType = "symlink" | "character-device" | "block-device" | "fifo"

export function makeSpecialFile(
  path: string,
  entry: Pick<TarEntry, "linkPath" | "device"> & { readonly type: SpecialType },
): void {
  switch (entry.type) {
    case "symlink":
      makeSymlink(entry.linkPath ?? "", path)
      break
    case "character-device":
      makeNode(path, constants.S_IFCHR | 0o600, entry.device)
      break
    case "block-device":
      makeNode(path, constants.S_IFBLK | 0o600, entry.device)
      break
    case "fifo":
      makeNode(path, constants.S_IFIFO | 0o600)
      break
    default: {
      entry.type satisfies never
    }
  }
}
