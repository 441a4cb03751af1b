// The superblock and the one slot of the device table: the tar, as device 1. Without a checksum of the superblock, which
// fsck.erofs up to 1.8 cannot check on blocks of 512 bytes; dhow fsck compares the index with its tar.
import type { Digest } from "../../oci/digest.ts"
import {
  BLOCK,
  BLOCK_BITS,
  DEVICE_SLOT_SIZE,
  FEATURE_COMPAT_MTIME,
  FEATURE_INCOMPAT_CHUNKED_FILE,
  FEATURE_INCOMPAT_DEVICE_TABLE,
  ROOT_OFFSET,
  SLOT,
  SUPER_MAGIC,
  SUPER_OFFSET,
  SUPER_SIZE,
} from "./format.ts"

export type Superblock = {
  readonly diffId: Digest
  /** Blocks of the index file. */
  readonly blocks: number
  readonly inodes: number
  /** Blocks of the tar. */
  readonly tarBlocks: number
}

export function writeSuperblock(target: Buffer, { diffId, blocks, inodes, tarBlocks }: Superblock): void {
  const hex = diffId.slice("sha256:".length)
  const block = target.subarray(SUPER_OFFSET, SUPER_OFFSET + BLOCK)
  block.writeUInt32LE(SUPER_MAGIC, 0)
  block.writeUInt32LE(FEATURE_COMPAT_MTIME, 8)
  block[12] = BLOCK_BITS
  block.writeUInt16LE(ROOT_OFFSET / SLOT, 14)
  block.writeBigUInt64LE(BigInt(inodes), 16)
  block.writeUInt32LE(blocks, 36)
  Buffer.from(hex, "hex").copy(block, 48, 0, 16)
  block.writeUInt32LE(FEATURE_INCOMPAT_CHUNKED_FILE | FEATURE_INCOMPAT_DEVICE_TABLE, 80)
  block.writeUInt16LE(1, 86)
  block.writeUInt16LE((SUPER_OFFSET + SUPER_SIZE) / DEVICE_SLOT_SIZE, 88)
  const slot = block.subarray(SUPER_SIZE, SUPER_SIZE + DEVICE_SLOT_SIZE)
  slot.write(hex, 0, 64, "latin1")
  slot.writeUInt32LE(tarBlocks, 64)
}
