// A request's body as its handler reads it: parts are queued up to a bound, above which the connection stops reading.
import { DhowError } from "../../lib/errors.ts"

const HIGH_WATER = 512 * 1024

export type BodyFlow = {
  /** The queue is full: stop reading from the socket. */
  pause(): void
  /** There is room again. */
  resume(): void
  /** The handler asks for the first byte: the moment for "100 Continue". */
  wanted(): void
}

export class RequestBody implements AsyncIterable<Uint8Array> {
  /** Bytes announced; undefined for a chunked body. */
  readonly length: number | undefined
  readonly #flow: BodyFlow
  #queue: Uint8Array[] = []
  #queued = 0
  #paused = false
  #ended = false
  #error: unknown
  #discarding = false
  #waiter: (() => void) | undefined

  constructor(length: number | undefined, flow: BodyFlow) {
    this.length = length
    this.#flow = flow
    this.#ended = length === 0
  }

  /** Whether every byte has arrived. */
  get ended(): boolean {
    return this.#ended
  }

  push(part: Uint8Array): void {
    if (this.#discarding || this.#error !== undefined) return
    this.#queue.push(part)
    this.#queued += part.length
    if (this.#queued >= HIGH_WATER && !this.#paused) {
      this.#paused = true
      this.#flow.pause()
    }
    this.#wake()
  }

  end(): void {
    this.#ended = true
    this.#wake()
  }

  fail(error: unknown): void {
    if (this.#ended || this.#error !== undefined) return
    this.#error = error
    this.#queue = []
    this.#wake()
  }

  /** Throws away what is queued and what still comes. */
  discard(): void {
    this.#discarding = true
    this.#queue = []
    this.#queued = 0
    this.#relieve()
  }

  /** What has arrived unread: it now belongs to the caller, as does what still comes. */
  takeQueued(): readonly Uint8Array[] {
    const parts = this.#queue
    this.#queue = []
    this.#queued = 0
    this.#relieve()
    return parts
  }

  /** The next part, or undefined at the end. */
  async read(): Promise<Uint8Array | undefined> {
    if (!this.#ended) this.#flow.wanted()
    for (;;) {
      const part = this.#queue.shift()
      if (part !== undefined) {
        this.#queued -= part.length
        if (this.#queued < HIGH_WATER / 2) this.#relieve()
        return part
      }
      if (this.#error !== undefined) throw this.#error
      if (this.#ended) return undefined
      const { promise, resolve } = Promise.withResolvers<void>()
      this.#waiter = resolve
      await promise
    }
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void> {
    for (let part = await this.read(); part !== undefined; part = await this.read()) yield part
  }

  /** The whole body, refused above `limit` bytes. */
  async bytes(limit: number): Promise<Uint8Array> {
    const tooLarge = (): DhowError => new DhowError("invalid", `Request body is larger than ${limit} bytes`)
    if (this.length !== undefined && this.length > limit) throw tooLarge()
    const parts: Uint8Array[] = []
    let total = 0
    for await (const part of this) {
      total += part.length
      if (total > limit) throw tooLarge()
      parts.push(part)
    }
    return parts.length === 1 ? parts[0]! : Buffer.concat(parts, total)
  }

  stream(): ReadableStream<Uint8Array> {
    return new ReadableStream<Uint8Array>(
      {
        pull: async (controller) => {
          const part = await this.read()
          if (part === undefined) controller.close()
          else controller.enqueue(part)
        },
        cancel: () => this.discard(),
      },
      { highWaterMark: 0 },
    )
  }

  #relieve(): void {
    if (!this.#paused) return
    this.#paused = false
    this.#flow.resume()
  }

  #wake(): void {
    this.#waiter?.()
    this.#waiter = undefined
  }
}
