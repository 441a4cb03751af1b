// The numbers of the EROFS on-disk format that an index uses, named as in the kernel's fs/erofs/erofs_fs.h. Blocks are
// 512 bytes, a tar's own unit, so that every file's data in a tar starts on a block. All integers are little-endian.
export const BLOCK_BITS = 9
export const BLOCK = 1 << BLOCK_BITS

export const SUPER_MAGIC = 0xe0f5e1e2
export const SUPER_OFFSET = 1024
export const SUPER_SIZE = 128
export const DEVICE_SLOT_SIZE = 128
export const FEATURE_COMPAT_MTIME = 0x2
export const FEATURE_INCOMPAT_CHUNKED_FILE = 0x4
export const FEATURE_INCOMPAT_DEVICE_TABLE = 0x8

/** Inode numbers count slots of this size from the start of the file. */
export const SLOT = 32
/** The extended form: the only one with a time of its own. */
export const INODE_SIZE = 64
/** First inode, the root: the superblock's block ends here. */
export const ROOT_OFFSET = SUPER_OFFSET + BLOCK
export const LAYOUT_EXTENDED = 1
export const LAYOUT = { PLAIN: 0, INLINE: 2, CHUNKED: 4 } as const

export const CHUNK_INDEXES = 0x20
export const CHUNK_INDEX_SIZE = 8
/** A chunk of the largest size that the format can say. */
export const MAX_CHUNK_BITS = BLOCK_BITS + 31
/** Block address of a hole, and of a file without data. */
export const NO_BLOCK = 0xffffffff
/** Block addresses have 32 bits. */
export const MAX_DEVICE_SIZE = NO_BLOCK * BLOCK

export const DIRENT_SIZE = 12
export const MAX_NAME = 255

export const MODE = {
  fifo: 0o010000,
  "character-device": 0o020000,
  directory: 0o040000,
  "block-device": 0o060000,
  file: 0o100000,
  symlink: 0o120000,
} as const
export type NodeType = keyof typeof MODE

export const DIRENT_TYPE: Readonly<Record<NodeType, number>> = {
  file: 1,
  directory: 2,
  "character-device": 3,
  "block-device": 4,
  fifo: 5,
  symlink: 7,
}

export function roundUp(value: number, unit: number): number {
  return Math.ceil(value / unit) * unit
}
