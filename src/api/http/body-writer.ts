// The body of a streamed answer: in chunks for HTTP/1.1, as it is for 1.0, where the end of the connection ends it.
import type { Output } from "./output.ts"
import type { BodyWriter } from "./reply.ts"

const CRLF = Buffer.from("\r\n")
export const LAST_CHUNK: Uint8Array = Buffer.from("0\r\n\r\n")

export function plainWriter(out: Output): BodyWriter {
  return {
    write: (chunk) => out.write(typeof chunk === "string" ? Buffer.from(chunk) : chunk),
    writeFramed: (frame, chunk) => out.writeGathered([frame, chunk]),
    drained: () => out.drained(),
    get backlogged() {
      return out.backlogged
    },
  }
}

export function chunkedWriter(out: Output): BodyWriter {
  const size = (length: number): Uint8Array => Buffer.from(`${length.toString(16)}\r\n`, "latin1")
  return {
    write(chunk) {
      const bytes = typeof chunk === "string" ? Buffer.from(chunk) : chunk
      // An empty chunk would end the body.
      if (bytes.length === 0) return !out.backlogged
      return out.writeGathered([size(bytes.length), bytes, CRLF])
    },
    writeFramed: (frame, chunk) => out.writeGathered([size(frame.length + chunk.length), frame, chunk, CRLF]),
    drained: () => out.drained(),
    get backlogged() {
      return out.backlogged
    },
  }
}
