// Maps of sparse files: GNU's old form (type S) and PAX GNU.sparse 0.0, 0.1 and 1.0. A map is checked to be ascending,
// inside the file and as long as what is stored, so that whoever writes it out can trust it.
import { DhowError } from "../errors.ts"
import { BLOCK, type SparseChunk } from "./entry.ts"
import { latin1, size } from "./header.ts"
import type { Pull } from "./pull.ts"
import { exactly } from "./pull.ts"

const MAX_CHUNKS = 1 << 20
const decimal = /^\d{1,16}$/

/** The map of a GNU type S header and the continuation blocks that follow it. */
export function* pullGnuMap(header: Uint8Array, path: string): Pull<{ chunks: SparseChunk[]; realSize: number }> {
  const chunks: SparseChunk[] = []
  const realSize = size(header, 483)
  collect(header, 386, 4, chunks)
  for (let more = header[482] !== 0; more; ) {
    const block = yield* exactly(BLOCK, path)
    collect(block, 0, 21, chunks)
    more = block[504] !== 0
    if (chunks.length > MAX_CHUNKS) throw tooMany(path)
  }
  return { chunks, realSize }
}

function collect(block: Uint8Array, offset: number, count: number, chunks: SparseChunk[]): void {
  for (let at = offset; at < offset + count * 24 && block[at] !== 0; at += 24)
    chunks.push({ offset: size(block, at), length: size(block, at + 12) })
}

/** The map of PAX GNU.sparse 1.0: decimal lines at the start of the content, padded to whole blocks. */
export function* pullPax10Map(path: string): Pull<{ chunks: SparseChunk[]; consumed: number }> {
  const numbers: number[] = []
  let rest = ""
  let consumed = 0
  for (let wanted = 1; numbers.length < wanted; ) {
    rest += latin1(yield* exactly(BLOCK, path), 0, BLOCK)
    consumed += BLOCK
    const lines = rest.split("\n")
    rest = lines.pop() ?? ""
    if (rest.length > BLOCK) throw badMap(path)
    for (const line of lines) {
      if (numbers.length === wanted) break
      if (!decimal.test(line)) throw badMap(path)
      numbers.push(Number(line))
      if (numbers.length === 1) wanted = 1 + 2 * numbers[0]!
    }
    if (wanted > 2 * MAX_CHUNKS) throw tooMany(path)
  }
  return { chunks: pairs(numbers.slice(1)), consumed }
}

/** The map of PAX GNU.sparse 0.1 ("offset,length,offset,length"), and of 0.0 joined to the same form. */
export function parsePaxMap(map: string, path: string): SparseChunk[] {
  const fields = map === "" ? [] : map.split(",")
  if (fields.length % 2 !== 0 || !fields.every((field) => decimal.test(field))) throw badMap(path)
  if (fields.length > 2 * MAX_CHUNKS) throw tooMany(path)
  return pairs(fields.map(Number))
}

export function checkMap(chunks: readonly SparseChunk[], realSize: number, stored: number, path: string): void {
  let end = 0
  let total = 0
  for (const chunk of chunks) {
    if (chunk.offset < end || chunk.offset + chunk.length > realSize) throw badMap(path)
    end = chunk.offset + chunk.length
    total += chunk.length
  }
  if (total !== stored) throw badMap(path)
}

function pairs(numbers: readonly number[]): SparseChunk[] {
  const chunks: SparseChunk[] = []
  for (let at = 0; at < numbers.length; at += 2) chunks.push({ offset: numbers[at]!, length: numbers[at + 1]! })
  return chunks
}

function badMap(path: string): DhowError {
  return new DhowError("invalid", `Sparse file "${path}" in the archive has a bad map`)
}

function tooMany(path: string): DhowError {
  return new DhowError("invalid", `Sparse file "${path}" in the archive has more than ${MAX_CHUNKS} stretches`)
}
