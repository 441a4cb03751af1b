// Log records to what the process wrote. A block is decoded in place: a record's text moves left over its header, which
// is longer than the time stamp that may replace it, so runs of one stream leave as one slice and nothing is copied twice.
import { HEADER_LENGTH, NEWLINE, PARTIAL, readHeader, TIME_LENGTH, timeText } from "./line.ts"

const LETTER_Z = 0x5a
const SPACE = 0x20

export type DecoderOptions = {
  readonly stdout: boolean
  readonly stderr: boolean
  readonly timestamps: boolean
  /** Put in front of every line, behind its time. */
  readonly prefix?: Uint8Array | undefined
  /** Milliseconds since 1970. */
  readonly since?: number | undefined
  readonly until?: number | undefined
}

/** A record longer than this is not conmon's; it is passed on in pieces rather than gathered. */
const LONGEST_RECORD = 64 * 1024

export class LogDecoder {
  readonly #options: DecoderOptions
  readonly #since: Buffer | undefined
  readonly #until: Buffer | undefined
  /** Whether the next record of stream 1, 2 begins a line and so gets a time stamp. */
  readonly #lineStart = [true, true, true]
  #sinceReached: boolean
  /** Set when a record later than `until` was seen. */
  pastUntil = false

  constructor(options: DecoderOptions) {
    this.#options = options
    this.#since = options.since === undefined ? undefined : Buffer.from(timeText(options.since, "000"))
    this.#until = options.until === undefined ? undefined : Buffer.from(timeText(options.until, "999"))
    this.#sinceReached = this.#since === undefined
  }

  /**
   * Decodes `block`, which it overwrites, and gives slices of it to `emit`; they stay valid. Returns how many bytes at
   * the end are an unfinished record, to be put in front of the next block.
   */
  decode(block: Buffer, emit: (stream: 1 | 2, chunk: Uint8Array) => void): number {
    let out = 0
    let emitted = 0
    let current: 1 | 2 = 1
    let at = 0
    while (at < block.length && !this.pastUntil) {
      let newline = block.indexOf(NEWLINE, at)
      if (newline < 0) {
        if (block.length - at < LONGEST_RECORD) break
        newline = block.length - 1
      }
      const next = newline + 1
      const header = readHeader(block, at, next)
      const stream = header === 0 ? 1 : ((header & 3) as 1 | 2)
      const wanted = stream === 1 ? this.#options.stdout : this.#options.stderr
      if (wanted && (header === 0 || this.#inTime(block, at))) {
        if (stream !== current) {
          if (out > emitted) emit(current, block.subarray(emitted, out))
          emitted = out
          current = stream
        }
        if (header === 0) {
          block.copyWithin(out, at, next)
          out += next - at
        } else {
          const partial = (header & PARTIAL) !== 0
          if (this.#options.timestamps && this.#lineStart[stream]) {
            block.copyWithin(out, at, at + TIME_LENGTH)
            block[out + TIME_LENGTH] = LETTER_Z
            block[out + TIME_LENGTH + 1] = SPACE
            out += TIME_LENGTH + 2
          }
          if (this.#options.prefix !== undefined && this.#lineStart[stream]) {
            if (out > emitted) emit(current, block.subarray(emitted, out))
            emitted = out
            emit(current, this.#options.prefix)
          }
          this.#lineStart[stream] = !partial
          // The newline of a piece is conmon's, that of a full line the process's own.
          const end = partial ? newline : next
          block.copyWithin(out, at + HEADER_LENGTH, end)
          out += end - at - HEADER_LENGTH
        }
      }
      at = next
    }
    if (out > emitted) emit(current, block.subarray(emitted, out))
    return this.pastUntil ? 0 : block.length - at
  }

  #inTime(block: Buffer, at: number): boolean {
    if (!this.#sinceReached) {
      // Time stamps grow along the log, so the first one that is late enough ends the comparing.
      if (block.compare(this.#since!, 0, TIME_LENGTH, at, at + TIME_LENGTH) < 0) return false
      this.#sinceReached = true
    }
    if (this.#until !== undefined && block.compare(this.#until, 0, TIME_LENGTH, at, at + TIME_LENGTH) > 0)
      this.pastUntil = true
    return !this.pastUntil
  }
}
