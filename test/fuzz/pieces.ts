// An archive cut into what a mutation works on: header blocks, each with the blocks that follow it.
import { BLOCK, padded } from "../../src/lib/tar/entry.ts"
import { parseHeader } from "../../src/lib/tar/header.ts"

export type Piece = { readonly header: Buffer; readonly body: Buffer }

/** Types whose size field counts blocks that follow. */
const WITH_BODY = "07SxXgLKVD\0"

export function cut(archive: Buffer): readonly Piece[] {
  const pieces: Piece[] = []
  for (let at = 0; at + BLOCK <= archive.length; ) {
    const header = archive.subarray(at, at + BLOCK)
    const parsed = parseHeader(header)
    if (parsed === undefined) break
    let end = at + BLOCK + (WITH_BODY.includes(parsed.flag) ? padded(parsed.size) : 0)
    // The continued map of GNU's sparse form lies between.
    if (parsed.flag === "S")
      for (let more = header[482] !== 0, from = at + BLOCK; more; from += BLOCK) {
        end += BLOCK
        more = archive[from + 504] !== 0
      }
    pieces.push({ header, body: archive.subarray(at + BLOCK, end) })
    at = end
  }
  return pieces
}

/** The checksum made right for what the header says now. */
export function seal(header: Buffer): Buffer {
  header.fill(0x20, 148, 156)
  let sum = 0
  for (const byte of header) sum += byte
  header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1")
  return header
}

export function join(pieces: readonly Piece[]): Buffer {
  return Buffer.concat([...pieces.flatMap(({ header, body }) => [header, body]), Buffer.alloc(2 * BLOCK)])
}
