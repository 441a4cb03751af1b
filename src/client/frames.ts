// Docker's multiplexed stream: frames of an 8-byte head (stream, three zero bytes, big-endian length) and a payload.
// Payloads are passed on as they arrive, so a frame need not fit into memory.
import { DhowError } from "../lib/errors.ts"

export type FrameSink = (stream: number, chunk: Uint8Array) => void

/** Stream 3 carries an error of the daemon itself. */
export const SYSTEM_ERROR = 3

export class FrameReader {
  readonly #sink: FrameSink
  readonly #head = new Uint8Array(8)
  #headLength = 0
  #left = 0

  constructor(sink: FrameSink) {
    this.#sink = sink
  }

  push(chunk: Uint8Array): void {
    let at = 0
    while (at < chunk.byteLength) {
      if (this.#left === 0) {
        const taken = Math.min(8 - this.#headLength, chunk.byteLength - at)
        this.#head.set(chunk.subarray(at, at + taken), this.#headLength)
        this.#headLength += taken
        at += taken
        if (this.#headLength < 8) return
        this.#headLength = 0
        if (this.#head[0]! > SYSTEM_ERROR)
          throw new DhowError("unavailable", `Unrecognized input header: ${this.#head[0]}`)
        this.#left = new DataView(this.#head.buffer).getUint32(4)
        continue
      }
      const taken = Math.min(this.#left, chunk.byteLength - at)
      this.#sink(this.#head[0]!, chunk.subarray(at, at + taken))
      this.#left -= taken
      at += taken
    }
  }
}
