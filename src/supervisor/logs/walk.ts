// Goes through a log's files in order, block by block, then on as it grows. It follows rotation: a file is read to its end
// before the next one is begun, so nothing is lost or told twice while the file is still kept.
import { LogChanges } from "./changes.ts"
import { NEWLINE } from "./line.ts"
import { openPlain, readAt, readCompressed } from "./segment-reader.ts"
import { inodeOf, listSegments, type Segment } from "./segments.ts"
import type { Position } from "./tail.ts"

const BLOCK = 128 * 1024

export type WalkOptions = {
  readonly path: string
  /** Where to begin, given the files there are; the oldest one's beginning unless told. */
  readonly from?: (segments: readonly Segment[]) => Position | Promise<Position | undefined> | undefined
  /** Goes on as the log grows, until this settles and all was told; undefined to stop at the present end. */
  readonly follow?: Promise<unknown> | undefined
  /** Following ends then, in milliseconds since 1970. */
  readonly until?: number | undefined
  readonly signal: AbortSignal
}

export interface LogReader {
  /** No more is wanted. */
  readonly done: boolean
  /**
   * Takes whole records and returns how many bytes at the end are an unfinished one: those come again in front of the
   * next block. The block may be overwritten; `end` is where it ends in its file.
   */
  take(block: Buffer, end: Position): number | Promise<number>
  /** All that is there was told; what comes is waited for. */
  idle?(): void
}

/** Resolves when all was told, the reader is done, or the signal fired. */
export async function walkLog(options: WalkOptions, reader: LogReader): Promise<void> {
  const walk = new Walk(options, reader)
  try {
    await walk.run()
  } finally {
    walk.close()
  }
}

class Walk {
  readonly #options: WalkOptions
  readonly #reader: LogReader
  readonly #changes: LogChanges
  #carry: Buffer = Buffer.alloc(0)

  constructor(options: WalkOptions, reader: LogReader) {
    this.#options = options
    this.#reader = reader
    this.#changes = new LogChanges(options)
  }

  close(): void {
    this.#changes.close()
  }

  async run(): Promise<void> {
    const { path, from, follow } = this.#options
    const { segments } = listSegments(path)
    const newest = segments.at(-1)
    // Without `follow` the log ends where it ended when we were asked, however fast it grows.
    const limit = follow === undefined ? { number: newest?.number ?? 0, size: newest?.size ?? 0 } : undefined
    let position = (await from?.(segments)) ?? { number: 0, offset: 0 }
    while (!this.#done) {
      // Listed and opened within one turn, in which the engine rotates nothing: a number and its file belong together.
      const segment = listSegments(path).segments.find(({ number }) => number >= position.number)
      if (segment === undefined || (limit !== undefined && segment.number > limit.number)) {
        if (follow === undefined || this.#changes.ended) return
        await this.#wait()
        continue
      }
      const offset = segment.number === position.number ? position.offset : 0
      const size = segment.number === limit?.number ? limit.size : undefined
      if (segment.compressed) await this.#tellCompressed(segment, offset)
      else if (!(await this.#tellPlain(segment, offset, size))) return
      position = { number: segment.number + 1, offset: 0 }
    }
  }

  get #done(): boolean {
    return this.#options.signal.aborted || this.#reader.done
  }

  /** False when the log has ended here; true when another file follows. */
  async #tellPlain({ path, number }: Segment, from: number, limit: number | undefined): Promise<boolean> {
    const file = openPlain(path)
    if (file === undefined) return true
    try {
      let offset = from
      let complete = false
      while (!this.#done) {
        const ended = this.#changes.ended
        const available = Math.min(limit ?? Number.POSITIVE_INFINITY, file.size()) - offset
        if (available > 0) {
          const block = await readAt(file, offset, Math.min(BLOCK, available), this.#carry.length)
          offset += block.length - this.#carry.length
          this.#carry.copy(block)
          await this.#tell(block, { number, offset })
        } else if (complete) {
          await this.#tellTornRecord({ number, offset })
          return true
        } else if (limit !== undefined) return false
        // conmon closes a file before another one appears under the log's name: what is there by now is all of it.
        else if (inodeOf(this.#options.path) !== file.inode) complete = true
        else if (this.#options.follow === undefined) return true
        else if (ended) {
          await this.#tellTornRecord({ number, offset })
          return false
        } else await this.#wait()
      }
      return false
    } finally {
      file.close()
    }
  }

  async #wait(): Promise<void> {
    this.#reader.idle?.()
    await this.#changes.next()
  }

  async #tellCompressed({ path, number }: Segment, from: number): Promise<void> {
    let skip = from
    let offset = 0
    for await (const chunk of readCompressed(path)) {
      const useful = chunk.subarray(Math.min(skip, chunk.length))
      skip -= chunk.length - useful.length
      offset += chunk.length
      if (useful.length > 0) await this.#tell(Buffer.concat([this.#carry, useful]), { number, offset })
      if (this.#done) return
    }
  }

  /** A record that nobody will finish: conmon was killed or the disk was full in the midst of it. */
  async #tellTornRecord(end: Position): Promise<void> {
    if (this.#carry.length > 0) await this.#tell(Buffer.concat([this.#carry, Buffer.from([NEWLINE])]), end)
  }

  async #tell(block: Buffer, end: Position): Promise<void> {
    const told = this.#reader.take(block, end)
    const rest = typeof told === "number" ? told : await Promise.race([told, this.#changes.aborted])
    this.#carry = rest === undefined ? Buffer.alloc(0) : Buffer.from(block.subarray(block.length - rest))
  }
}
