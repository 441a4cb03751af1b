// Reads a container's log: all of it or its last lines, then on as it grows. It follows rotation: a file is read to its
// end before the next one is begun, so nothing is lost or told twice while the file is still kept. A slow reader is
// waited for and never slows the container, which writes to the file and knows nothing of readers.
import type { LogSink, ReadLogOptions } from "../contract.ts"
import { LogChanges } from "./changes.ts"
import { LogDecoder } from "./decoder.ts"
import { NEWLINE } from "./line.ts"
import { openPlain, readAt, readCompressed } from "./segment-reader.ts"
import { inodeOf, listSegments, type Segment } from "./segments.ts"
import { findTail } from "./tail.ts"

const BLOCK = 128 * 1024

/** Resolves when all was delivered, or the signal fired; `sink.end` has been called then, exactly once. */
export async function readLog(options: ReadLogOptions, sink: LogSink): Promise<void> {
  const reading = new Reading(options, sink)
  try {
    await reading.run()
  } finally {
    reading.close()
    sink.end()
  }
}

class Reading {
  readonly #options: ReadLogOptions
  readonly #sink: LogSink
  readonly #decoder: LogDecoder
  readonly #changes: LogChanges
  #carry: Buffer = Buffer.alloc(0)

  constructor(options: ReadLogOptions, sink: LogSink) {
    this.#options = options
    this.#sink = sink
    this.#decoder = new LogDecoder(options)
    this.#changes = new LogChanges(options)
  }

  close(): void {
    this.#changes.close()
  }

  async run(): Promise<void> {
    const { path, tail, since, follow } = this.#options
    const { segments } = listSegments(path)
    const newest = segments.at(-1)
    // Without `follow` the log ends where it ended when we were asked, however fast it grows.
    const limit = follow === undefined ? { number: newest?.number ?? 0, size: newest?.size ?? 0 } : undefined
    let position = { number: 0, offset: 0 }
    if (tail !== undefined) position = (await findTail(segments, tail)) ?? position
    else if (since !== undefined)
      position.number = segments.find(({ modified }) => modified >= since)?.number ?? newest?.number ?? 0
    while (!this.#done) {
      // Listed and opened within one turn, in which the engine rotates nothing: a number and its file belong together.
      const segment = listSegments(path).segments.find(({ number }) => number >= position.number)
      if (segment === undefined || (limit !== undefined && segment.number > limit.number)) {
        if (follow === undefined || this.#changes.ended) return
        await this.#changes.next()
        continue
      }
      const offset = segment.number === position.number ? position.offset : 0
      const size = segment.number === limit?.number ? limit.size : undefined
      if (segment.compressed) await this.#deliverCompressed(segment, offset)
      else if (!(await this.#deliverPlain(segment, offset, size))) return
      position = { number: segment.number + 1, offset: 0 }
    }
  }

  get #done(): boolean {
    return this.#options.signal.aborted || this.#decoder.pastUntil
  }

  /** False when the log has ended here; true when another file follows. */
  async #deliverPlain(segment: Segment, from: number, limit: number | undefined): Promise<boolean> {
    const file = openPlain(segment.path)
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
          await this.#deliver(block)
        } else if (complete) {
          await this.#deliverTornRecord()
          return true
        } else if (limit !== undefined) return false
        // conmon closes a file before another one appears under the log's name: what is there by now is all of it.
        else if (inodeOf(this.#options.path) !== file.inode) complete = true
        else if (this.#options.follow === undefined) return true
        else if (ended) {
          await this.#deliverTornRecord()
          return false
        } else await this.#changes.next()
      }
      return false
    } finally {
      file.close()
    }
  }

  async #deliverCompressed(segment: Segment, from: number): Promise<void> {
    let skip = from
    for await (const chunk of readCompressed(segment.path)) {
      const useful = chunk.subarray(Math.min(skip, chunk.length))
      skip -= chunk.length - useful.length
      if (useful.length > 0) await this.#deliver(Buffer.concat([this.#carry, useful]))
      if (this.#done) return
    }
  }

  /** A record that nobody will finish: conmon was killed or the disk was full in the midst of it. */
  async #deliverTornRecord(): Promise<void> {
    if (this.#carry.length > 0) await this.#deliver(Buffer.concat([this.#carry, Buffer.from([NEWLINE])]))
  }

  async #deliver(block: Buffer): Promise<void> {
    let full = false
    const rest = this.#decoder.decode(block, (stream, chunk) => {
      if (!this.#sink.write(stream, chunk)) full = true
    })
    this.#carry = Buffer.from(block.subarray(block.length - rest))
    if (full) await Promise.race([this.#sink.drained(), this.#changes.aborted])
  }
}
