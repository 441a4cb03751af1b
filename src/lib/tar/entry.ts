// What a tar archive says about one file: a value, with nothing checked about where its path leads. Whoever unpacks it
// decides that. Names that are not UTF-8 keep their bytes (see names.ts).
export type TarType = "file" | "directory" | "symlink" | "hardlink" | "character-device" | "block-device" | "fifo"

/** A stretch of a sparse file that is stored; everything between stretches reads as zeros. */
export type SparseChunk = { readonly offset: number; readonly length: number }

export type TarEntry = {
  readonly path: string
  readonly type: TarType
  /** Permission bits with setuid, setgid and sticky: at most 0o7777. */
  readonly mode: number
  readonly uid: number
  readonly gid: number
  /** Whole seconds since 1970, rounded down; negative before. */
  readonly mtime: number
  readonly mtimeNanoseconds: number
  /** Length of the file as a reader of the file sees it, holes included; 0 for everything but files. */
  readonly size: number
  /** Target of a symbolic link; path in the archive of a hard link's first name. */
  readonly linkPath?: string
  readonly device?: { readonly major: number; readonly minor: number }
  readonly xattrs?: ReadonlyMap<string, Uint8Array>
  readonly sparse?: readonly SparseChunk[]
}

export const BLOCK = 512

/** `size` rounded up to whole blocks. */
export function padded(size: number): number {
  return Math.ceil(size / BLOCK) * BLOCK
}
