// The values of one entry as an inode can hold them; what it cannot hold is refused, never cut short.
import { DhowError } from "../../lib/errors.ts"
import type { TarEntry } from "../../lib/tar/entry.ts"
import type { Extent } from "./node.ts"
import { isStorable } from "./xattr.ts"

const MAX_ID = 0xfffffffe
const MAX_MAJOR = 0xfff
const MAX_MINOR = 0xfffff

export function ownerOf({ mode, uid, gid }: TarEntry): { mode: number; uid: number; gid: number } {
  for (const id of [uid, gid])
    if (id < 0 || id > MAX_ID) throw new DhowError("invalid", `Its owner ${id} is no number of a user or group`)
  return { mode, uid, gid }
}

/** The kernel's "new" encoding of a device number in 32 bits. */
export function deviceNumber({ device }: TarEntry): number {
  const { major, minor } = device ?? { major: 0, minor: 0 }
  if (major < 0 || major > MAX_MAJOR || minor < 0 || minor > MAX_MINOR)
    throw new DhowError("invalid", `Its device number ${major}:${minor} does not exist`)
  return ((minor & 0xff) | (major << 8) | ((minor & ~0xff) << 12)) >>> 0
}

/** Attributes of overlayfs itself are left out: a layer speaks to the container, not to the kernel. */
export function mergeXattrs(
  before: ReadonlyMap<string, Uint8Array> | undefined,
  entry: TarEntry,
): Map<string, Uint8Array> | undefined {
  if (entry.xattrs === undefined) return before === undefined ? undefined : new Map(before)
  const merged = new Map(before)
  for (const [name, value] of entry.xattrs) if (isStorable(name, value, entry.type)) merged.set(name, value)
  return merged
}

/** Where the entry's content lies in the tar. The stretches of a sparse file are stored one after the other. */
export function extentsOf(entry: TarEntry, content: number): readonly Extent[] {
  if (entry.sparse === undefined) return entry.size === 0 ? [] : [{ offset: 0, length: entry.size, tar: content }]
  const extents: Extent[] = []
  let tar = content
  for (const { offset, length } of entry.sparse) {
    if (length > 0) extents.push({ offset, length, tar })
    tar += length
  }
  return extents
}
