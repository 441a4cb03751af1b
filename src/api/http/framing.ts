// Takes a request body out of the byte stream: a decoder consumes its own bytes, hands the payload on without copying,
// and leaves whatever lies behind the body to the next request.
import { type BodyFraming, HEAD_LIMIT, ProtocolError } from "./head.ts"

export interface BodyDecoder {
  readonly done: boolean
  /** Returns how many bytes of `input` belonged to the body; fewer than all only when the body is complete. */
  decode(input: Uint8Array, emit: (part: Uint8Array) => void): number
}

export function bodyDecoder(framing: BodyFraming): BodyDecoder {
  return framing === "chunked" ? new ChunkedDecoder() : new FixedDecoder(framing)
}

class FixedDecoder implements BodyDecoder {
  #left: number
  constructor(length: number) {
    this.#left = length
  }
  get done(): boolean {
    return this.#left === 0
  }
  decode(input: Uint8Array, emit: (part: Uint8Array) => void): number {
    const take = Math.min(this.#left, input.length)
    if (take > 0) {
      this.#left -= take
      emit(take === input.length ? input : input.subarray(0, take))
    }
    return take
  }
}

const LINE_LIMIT = 4096

class ChunkedDecoder implements BodyDecoder {
  #state: "size" | "data" | "data-end" | "trailer" | "done" = "size"
  #left = 0
  #line = ""
  #trailerBytes = 0

  get done(): boolean {
    return this.#state === "done"
  }

  decode(input: Uint8Array, emit: (part: Uint8Array) => void): number {
    let at = 0
    while (at < input.length && this.#state !== "done") {
      if (this.#state === "data") {
        const take = Math.min(this.#left, input.length - at)
        emit(input.subarray(at, at + take))
        at += take
        this.#left -= take
        if (this.#left === 0) this.#state = "data-end"
        continue
      }
      const newline = input.indexOf(0x0a, at)
      const end = newline < 0 ? input.length : newline + 1
      this.#line += Buffer.from(input.buffer, input.byteOffset + at, end - at).toString("latin1")
      at = end
      if (this.#line.length > LINE_LIMIT) throw new ProtocolError(400, "Line of a chunked body is too long")
      if (newline >= 0) this.#endLine()
    }
    return at
  }

  #endLine(): void {
    const line = this.#line
    this.#line = ""
    if (!line.endsWith("\r\n")) throw new ProtocolError(400, "Malformed chunked body")
    const text = line.slice(0, -2)
    if (this.#state === "data-end") {
      if (text !== "") throw new ProtocolError(400, "Chunk is longer than its size says")
      this.#state = "size"
    } else if (this.#state === "trailer") {
      this.#trailerBytes += line.length
      if (this.#trailerBytes > HEAD_LIMIT) throw new ProtocolError(431, "Trailer is larger than 64 KiB")
      if (text === "") this.#state = "done"
    } else {
      const size = /^([0-9a-fA-F]{1,12})[ \t]*(?:;.*)?$/.exec(text)
      if (size === null) throw new ProtocolError(400, "Malformed chunk size")
      this.#left = Number.parseInt(size[1]!, 16)
      this.#state = this.#left === 0 ? "trailer" : "data"
    }
  }
}
