// Reading an HTTP/1.1 response off a byte stream: head, then a body by length, by chunks, or until the end.
// The daemon is trusted no further than sizes: a head is bounded, numbers are checked.
import { DhowError } from "../lib/errors.ts"
import type { Duplex } from "./duplex.ts"

const HEAD_LIMIT = 256 * 1024
const decoder = new TextDecoder()

export type ResponseHead = {
  readonly status: number
  /** Names in lower case. */
  readonly headers: ReadonlyMap<string, string>
}

function malformed(what: string): DhowError {
  return new DhowError("unavailable", `Malformed answer from the daemon: ${what}`)
}

export async function readHead(stream: Duplex): Promise<ResponseHead | undefined> {
  let seen: Uint8Array | undefined
  while (true) {
    const chunk = await stream.read()
    if (chunk === undefined) {
      if (seen === undefined) return undefined
      throw malformed("it ended within the head")
    }
    seen = seen === undefined ? chunk : Buffer.concat([seen, chunk])
    const end = Buffer.from(seen.buffer, seen.byteOffset, seen.byteLength).indexOf("\r\n\r\n")
    if (end >= 0) {
      stream.unread(seen.subarray(end + 4))
      return parseHead(decoder.decode(seen.subarray(0, end)))
    }
    if (seen.byteLength > HEAD_LIMIT) throw malformed("the head is too long")
  }
}

export function parseHead(text: string): ResponseHead {
  const lines = text.split("\r\n")
  const match = /^HTTP\/1\.[01] ([1-5]\d\d)(?: |$)/.exec(lines[0] ?? "")
  if (match === null) throw malformed(`"${(lines[0] ?? "").slice(0, 80)}" is no status line`)
  const headers = new Map<string, string>()
  for (const line of lines.slice(1)) {
    const colon = line.indexOf(":")
    if (colon > 0) headers.set(line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim())
  }
  return { status: Number(match[1]), headers }
}

/** Whether the connection can serve another request once the body was read to its end. */
export function keepsAlive(head: ResponseHead): boolean {
  return (
    head.headers.get("connection")?.toLowerCase() !== "close" &&
    (head.headers.has("content-length") || head.headers.has("transfer-encoding") || isBodyless(head.status))
  )
}

function isBodyless(status: number): boolean {
  return status === 204 || status === 304 || status < 200
}

export async function* readBody(stream: Duplex, head: ResponseHead, method: string): AsyncGenerator<Uint8Array> {
  if (method === "HEAD" || isBodyless(head.status)) return
  if (head.headers.get("transfer-encoding")?.toLowerCase() === "chunked") {
    yield* readChunked(stream)
    return
  }
  const length = head.headers.get("content-length")
  if (length === undefined) {
    for (let chunk = await stream.read(); chunk !== undefined; chunk = await stream.read()) yield chunk
    return
  }
  if (!/^\d+$/.test(length)) throw malformed(`Content-Length "${length}"`)
  yield* readExactly(stream, Number(length))
}

async function* readExactly(stream: Duplex, length: number): AsyncGenerator<Uint8Array> {
  let left = length
  while (left > 0) {
    const chunk = await stream.read()
    if (chunk === undefined) throw malformed("the connection closed within the body")
    if (chunk.byteLength > left) {
      stream.unread(chunk.subarray(left))
      yield chunk.subarray(0, left)
      return
    }
    left -= chunk.byteLength
    yield chunk
  }
}

async function* readChunked(stream: Duplex): AsyncGenerator<Uint8Array> {
  while (true) {
    const line = await readLine(stream)
    const size = /^([0-9a-fA-F]{1,8})(?:;|\s*$)/.exec(line)
    if (size === null) throw malformed(`"${line.slice(0, 40)}" is no chunk size`)
    const length = Number.parseInt(size[1]!, 16)
    if (length === 0) {
      while ((await readLine(stream)) !== "");
      return
    }
    yield* readExactly(stream, length)
    if ((await readLine(stream)) !== "") throw malformed("a chunk is longer than it says")
  }
}

async function readLine(stream: Duplex): Promise<string> {
  let line = ""
  while (true) {
    const chunk = await stream.read()
    if (chunk === undefined) throw malformed("the connection closed within the body")
    const end = chunk.indexOf(10)
    if (end >= 0) {
      stream.unread(chunk.subarray(end + 1))
      line += decoder.decode(chunk.subarray(0, end))
      return line.endsWith("\r") ? line.slice(0, -1) : line
    }
    line += decoder.decode(chunk)
    if (line.length > 4096) throw malformed("a chunk's head is too long")
  }
}
