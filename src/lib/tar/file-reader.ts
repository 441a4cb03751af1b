// Reads a tar archive that lies on disk, synchronously and with few system calls: for unpacking, where a promise per
// entry would cost more than the entry. Content is handed out as views of one buffer, valid during the callback only.
import { readSync } from "node:fs"
import { padded, type TarEntry } from "./entry.ts"
import { type ParsedEntry, type ParseState, pullEntry } from "./parse.ts"
import { truncated } from "./pull.ts"

const BUFFER = 1 << 20

export class TarFile {
  readonly #fd: number
  /** As long as what is read at once; longer only where something that must be whole asks for it. */
  #buffer: Buffer
  readonly #state: ParseState = { globals: new Map() }
  /** The unread part of the buffer. */
  #start = 0
  #end = 0
  /** Where in the file the buffer's end came from. */
  #offset = 0
  #left = 0
  #padding = 0
  #entry: TarEntry | undefined

  /** How much is read at once, at the least: little where content is mostly skipped. */
  readonly #window: number

  /** The descriptor stays the caller's. */
  constructor(fd: number, { window = BUFFER }: { readonly window?: number } = {}) {
    this.#fd = fd
    this.#window = window
    this.#buffer = Buffer.allocUnsafeSlow(window)
  }

  /** The next entry, or undefined at the end; content of the entry before that was not read is skipped. */
  next(): TarEntry | undefined {
    this.#skip()
    const parser = pullEntry(this.#state)
    let step: IteratorResult<number, ParsedEntry | undefined> = parser.next()
    while (step.done !== true) step = parser.next(this.#take(step.value))
    if (step.value === undefined) return undefined
    this.#entry = step.value.entry
    this.#left = step.value.stored
    this.#padding = padded(this.#left) - this.#left
    return this.#entry
  }

  /** Where in the file the unread content of the entry begins. */
  get contentOffset(): number {
    return this.#offset - (this.#end - this.#start)
  }

  /** The next `limit` stored bytes of the entry or fewer, without the holes of a sparse file. Empty when all are read. */
  some(limit: number): Uint8Array {
    const wanted = Math.min(limit, this.#left)
    if (wanted === 0) return this.#buffer.subarray(0, 0)
    if (this.#start === this.#end) this.#fill()
    const length = Math.min(wanted, this.#end - this.#start)
    if (length === 0) throw truncated(this.#entry?.path)
    this.#left -= length
    this.#start += length
    return this.#buffer.subarray(this.#start - length, this.#start)
  }

  #skip(): void {
    const skip = this.#left + this.#padding
    const buffered = Math.min(skip, this.#end - this.#start)
    this.#start += buffered
    this.#offset += skip - buffered
    // A skipped end of file shows as no bytes at the next header: that must not pass for a proper end.
    if (skip > buffered && this.#left > buffered && !this.#reaches(this.#offset - this.#padding))
      throw truncated(this.#entry?.path)
    this.#left = 0
    this.#padding = 0
  }

  #reaches(offset: number): boolean {
    // A size may be true for itself and still lead beyond what any file has.
    return Number.isSafeInteger(offset) && readSync(this.#fd, this.#buffer, 0, 1, offset - 1) === 1
  }

  /** `length` bytes, fewer only where the file ends. */
  #take(length: number): Uint8Array {
    if (length > BUFFER) throw new RangeError(`Cannot take ${length} bytes at once`)
    if (length > this.#buffer.length) this.#grow()
    while (this.#end - this.#start < length) {
      this.#buffer.copyWithin(0, this.#start, this.#end)
      this.#end -= this.#start
      this.#start = 0
      const wanted = Math.min(this.#buffer.length - this.#end, Math.max(this.#window, length))
      const got = readSync(this.#fd, this.#buffer, this.#end, wanted, this.#offset)
      if (got === 0) break
      this.#end += got
      this.#offset += got
    }
    const from = this.#start
    this.#start = Math.min(this.#start + length, this.#end)
    return this.#buffer.subarray(from, this.#start)
  }

  #grow(): void {
    const larger = Buffer.allocUnsafeSlow(BUFFER)
    this.#buffer.copy(larger, 0, this.#start, this.#end)
    this.#end -= this.#start
    this.#start = 0
    this.#buffer = larger
  }

  #fill(): void {
    this.#start = 0
    this.#end = readSync(this.#fd, this.#buffer, 0, this.#buffer.length, this.#offset)
    this.#offset += this.#end
  }
}
