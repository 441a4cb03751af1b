// Where the last N lines of a log begin, found from the end in blocks. A line is a full record with the pieces before
// it; an unfinished piece at the very end counts as a line. Where both streams write unfinished lines at once, the one
// that began before the cut loses its beginning.
import { HEADER_LENGTH, NEWLINE, PARTIAL, readHeader } from "./line.ts"
import { openPlain, readAt, readCompressed } from "./segment-reader.ts"
import type { Segment } from "./segments.ts"

const BLOCK = 64 * 1024

export type Position = { readonly number: number; readonly offset: number }

/** `segments` oldest first. Asking for 0 lines gives the end. */
export async function findTail(segments: readonly Segment[], lines: number): Promise<Position | undefined> {
  let wanted = lines
  let position: Position | undefined
  for (const segment of segments.toReversed()) {
    const newest = position === undefined
    const found = segment.compressed
      ? await tailOfCompressed(segment, wanted)
      : await tailOfPlain(segment, wanted, newest)
    position = { number: segment.number, offset: found.offset }
    wanted -= found.lines
    if (found.offset > 0 || wanted <= 0) break
  }
  return position
}

type Found = { readonly offset: number; readonly lines: number }

async function tailOfPlain(segment: Segment, wanted: number, newest: boolean): Promise<Found> {
  const file = openPlain(segment.path)
  if (file === undefined) return { offset: 0, lines: 0 }
  try {
    const size = Math.min(file.size(), segment.size)
    let lines = 0
    let lineEnd = size
    // Each block is read with the header length that follows it, so that the record after every newline can be judged.
    for (let blockEnd = size; blockEnd > 0; ) {
      const blockStart = Math.max(0, blockEnd - BLOCK)
      const block = await readAt(file, blockStart, Math.min(size, blockEnd + HEADER_LENGTH) - blockStart)
      let search = blockEnd - blockStart - 1
      while (search >= 0) {
        const newline = block.lastIndexOf(NEWLINE, search)
        if (newline < 0 && blockStart > 0) break
        const start = blockStart + newline + 1
        if (start < lineEnd) {
          const header = readHeader(block, newline + 1, block.length)
          const endsLine = (header & PARTIAL) === 0 || (newest && lineEnd === size)
          if (endsLine && lines++ === wanted) return { offset: lineEnd, lines: wanted }
          lineEnd = start
        }
        if (newline < 0) break
        search = newline - 1
      }
      blockEnd = blockStart
    }
    return { offset: 0, lines }
  } finally {
    file.close()
  }
}

/** Nothing can be read backwards here: the lines are counted first, then the surplus is skipped. */
async function tailOfCompressed(segment: Segment, wanted: number): Promise<Found> {
  let total = 0
  await eachFullRecord(segment, () => {
    total++
    return true
  })
  if (total <= wanted) return { offset: 0, lines: total }
  let surplus = total - wanted
  let offset = 0
  await eachFullRecord(segment, (end) => {
    offset = end
    return --surplus > 0
  })
  return { offset, lines: wanted }
}

async function eachFullRecord(segment: Segment, visit: (end: number) => boolean): Promise<void> {
  let base = 0
  let rest: Uint8Array = new Uint8Array()
  for await (const chunk of readCompressed(segment.path)) {
    const block = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
    let at = 0
    for (let newline = block.indexOf(NEWLINE); newline >= 0; newline = block.indexOf(NEWLINE, at)) {
      const full = (readHeader(block, at, newline + 1) & PARTIAL) === 0
      at = newline + 1
      if (full && !visit(base + at)) return
    }
    rest = block.subarray(at)
    base += at
  }
}
