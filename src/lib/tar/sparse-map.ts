// The map of a sparse file in the form PAX GNU.sparse 1.0, which is written in front of its content.
import { padded, type SparseChunk } from "./entry.ts"

/** "COUNT\nOFFSET\nLENGTH\n…", padded to whole blocks. */
export function formatSparseMap(chunks: readonly SparseChunk[]): Buffer {
  const text = [chunks.length, ...chunks.flatMap(({ offset, length }) => [offset, length])].join("\n")
  const bytes = Buffer.from(`${text}\n`)
  return Buffer.concat([bytes, Buffer.alloc(padded(bytes.length) - bytes.length)])
}

/** Bytes that are stored of the file. */
export function storedSize(chunks: readonly SparseChunk[]): number {
  return chunks.reduce((sum, { length }) => sum + length, 0)
}
