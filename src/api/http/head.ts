// The head of an HTTP/1.0 or 1.1 request: request line and header fields, as RFC 9112 has them, bounded before they are
// read. What two readers could understand in two ways is refused, never guessed.
import { DhowError } from "../../lib/errors.ts"

export const HEAD_LIMIT = 64 * 1024
const FIELD_LIMIT = 128

export type RequestHead = {
  readonly method: string
  /** Percent-decoded, without the query. */
  readonly path: string
  /** As sent, without the question mark. */
  readonly query: string
  readonly minorVersion: 0 | 1
  /** Names in lower case; repeated fields joined by ", ". */
  readonly headers: ReadonlyMap<string, string>
}

/** How long the body is: a number of bytes, or in chunks. */
export type BodyFraming = number | "chunked"

/** A request the server cannot go on after: answered with this status, then closed. */
export class ProtocolError extends DhowError {
  readonly status: number
  constructor(status: number, message: string) {
    super("invalid", message)
    this.status = status
  }
}

const bad = (message: string): ProtocolError => new ProtocolError(400, message)

/** Finds the end of a head as its bytes come in, looking at each byte once. */
export class HeadScanner {
  #start = 0
  #line = 0
  #begun = false

  /** Offset behind the empty line that ends the head, or undefined while it is not there. `start` skips empty lines. */
  find(bytes: Uint8Array): { readonly start: number; readonly end: number } | undefined {
    for (;;) {
      const newline = bytes.indexOf(0x0a, this.#line)
      if (newline < 0) break
      const empty = newline === this.#line || (newline === this.#line + 1 && bytes[this.#line] === 0x0d)
      this.#line = newline + 1
      if (!empty) this.#begun = true
      else if (this.#begun) return { start: this.#start, end: newline + 1 }
      else this.#start = newline + 1
      if (this.#line > HEAD_LIMIT) break
    }
    if (bytes.length > HEAD_LIMIT) throw new ProtocolError(431, "Request head is larger than 64 KiB")
    return undefined
  }
}

export function parseHead(text: string): RequestHead {
  let at = text.indexOf("\n")
  const { method, target, minorVersion } = parseRequestLine(withoutReturn(text.slice(0, at)))
  const headers = new Map<string, string>()
  let fields = 0
  for (at += 1; ; ) {
    const newline = text.indexOf("\n", at)
    const line = withoutReturn(text.slice(at, newline))
    if (line === "") break
    if (++fields > FIELD_LIMIT) throw new ProtocolError(431, `Request has more than ${FIELD_LIMIT} header fields`)
    const colon = line.indexOf(":")
    if (colon <= 0 || !isToken(line, colon)) throw bad("Malformed header field name")
    const name = line.slice(0, colon).toLowerCase()
    const value = line.slice(colon + 1).trim()
    if (hasControl(value)) throw bad(`Header field "${name}" holds a control character`)
    const earlier = headers.get(name)
    headers.set(name, earlier === undefined ? value : `${earlier}, ${value}`)
    at = newline + 1
  }
  return { method, ...parseTarget(target), minorVersion, headers }
}

function parseRequestLine(line: string): { method: string; target: string; minorVersion: 0 | 1 } {
  const first = line.indexOf(" ")
  const last = line.lastIndexOf(" ")
  if (first <= 0 || last <= first || !isToken(line, first)) throw bad("Malformed request line")
  const protocol = line.slice(last + 1)
  if (!/^HTTP\/\d\.\d$/.test(protocol)) throw bad("Malformed request line")
  if (!protocol.startsWith("HTTP/1.")) throw new ProtocolError(505, `Protocol "${protocol}" is not supported`)
  const target = line.slice(first + 1, last)
  if (target === "" || target.includes(" ") || hasControl(target)) throw bad("Malformed request target")
  return { method: line.slice(0, first), target, minorVersion: protocol === "HTTP/1.0" ? 0 : 1 }
}

function parseTarget(text: string): { path: string; query: string } {
  // The head is read byte by byte; what is not ASCII in a target is meant as UTF-8.
  const target = isAscii(text) ? text : Buffer.from(text, "latin1").toString("utf8")
  let origin = target
  if (!target.startsWith("/") && target !== "*") {
    const scheme = /^https?:\/\/[^/?]*/i.exec(target)
    if (scheme === null) throw bad("Malformed request target")
    origin = target.slice(scheme[0].length)
    if (!origin.startsWith("/")) origin = `/${origin}`
  }
  const mark = origin.indexOf("?")
  const raw = mark < 0 ? origin : origin.slice(0, mark)
  let path = raw
  if (raw.includes("%")) {
    try {
      path = decodeURIComponent(raw)
    } catch {
      throw bad("Malformed escape in the request path")
    }
  }
  return { path, query: mark < 0 ? "" : origin.slice(mark + 1) }
}

/** RFC 9112, section 6.3; a request with both lengths is what request smuggling is made of. */
export function bodyFraming(head: RequestHead): BodyFraming {
  const encoding = head.headers.get("transfer-encoding")
  const length = head.headers.get("content-length")
  if (encoding !== undefined) {
    if (length !== undefined) throw bad("Request has both Content-Length and Transfer-Encoding")
    if (head.minorVersion === 0) throw bad("Transfer-Encoding in an HTTP/1.0 request")
    if (encoding.toLowerCase() !== "chunked")
      throw new ProtocolError(501, `Transfer-Encoding "${encoding}" is not supported`)
    return "chunked"
  }
  if (length === undefined) return 0
  const values = new Set(length.split(",").map((value) => value.trim()))
  const [only] = values
  if (values.size !== 1 || only === undefined || !/^\d{1,15}$/.test(only))
    throw bad(`Invalid Content-Length "${length}"`)
  return Number(only)
}

/** Whether a comma-separated field holds a token, whatever its case. */
export function hasToken(field: string | undefined, token: string): boolean {
  if (field === undefined) return false
  return field.split(",").some((part) => part.trim().toLowerCase() === token)
}

const TOKEN = new Uint8Array(128)
for (const char of "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
  TOKEN[char.charCodeAt(0)] = 1

function isToken(text: string, end: number): boolean {
  for (let i = 0; i < end; i++) if (TOKEN[text.charCodeAt(i)] !== 1) return false
  return true
}

function hasControl(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if ((code < 0x20 && code !== 0x09) || code === 0x7f) return true
  }
  return false
}

function isAscii(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0x7f) return false
  return true
}

function withoutReturn(line: string): string {
  return line.endsWith("\r") ? line.slice(0, -1) : line
}
