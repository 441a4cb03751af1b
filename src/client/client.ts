// The client of the Engine API: one request, one answer, over kept-alive connections to the daemon's unix socket.
// Paths carry no version, so a daemon of any age answers with its own. An answer of 400 or more becomes a DhowError.
import { DhowError, type ErrorKind, errnoName } from "../lib/errors.ts"
import type { Address } from "./address.ts"
import { Duplex } from "./duplex.ts"
import { keepsAlive, type ResponseHead, readBody, readHead } from "./response.ts"

export type QueryValue = string | number | boolean | readonly string[] | undefined
export type Query = Readonly<Record<string, QueryValue>>

export type RequestOptions = {
  readonly query?: Query
  readonly headers?: Readonly<Record<string, string>>
  /** Sent as JSON. */
  readonly json?: unknown
  /** Sent as it comes, in chunks. */
  readonly body?: AsyncIterable<Uint8Array>
  readonly contentType?: string
}

export type Answer = {
  readonly status: number
  readonly headers: ReadonlyMap<string, string>
  /** To be read to its end, or closed: the connection is busy until then. */
  readonly body: AsyncGenerator<Uint8Array>
}

const encoder = new TextEncoder()

const KINDS: Readonly<Record<number, ErrorKind>> = {
  400: "invalid",
  401: "unauthorized",
  403: "forbidden",
  404: "not-found",
  409: "conflict",
  501: "not-implemented",
  503: "unavailable",
}

export class Client {
  readonly address: Address
  readonly #idle: Duplex[] = []
  readonly #open: (address: Address) => Promise<Duplex>

  /** `open` makes a connection; it may start the daemon first. */
  constructor(address: Address, open: (address: Address) => Promise<Duplex> = connect) {
    this.address = address
    this.#open = open
  }

  /** Sends a request and reads the head of its answer; throws what the daemon reports as an error. */
  async request(method: string, path: string, options: RequestOptions = {}): Promise<Answer> {
    const reused = this.#takeIdle()
    const connection = reused ?? (await this.#open(this.address))
    await send(connection, method, path, options)
    const head = await readFinalHead(connection)
    if (head === undefined) {
      connection.close()
      // A kept connection may have been closed by the daemon in the meantime; nothing was answered, so ask again.
      if (reused !== undefined && options.body === undefined) return this.request(method, path, options)
      throw new DhowError("unavailable", `The daemon at "${this.address.host}" closed the connection without an answer`)
    }
    const body = this.#bodyOf(connection, head, method)
    if (head.status >= 400) throw await errorOf(head.status, body)
    return { status: head.status, headers: head.headers, body }
  }

  async json<T>(method: string, path: string, options: RequestOptions = {}): Promise<T> {
    const text = await this.text(method, path, options)
    return (text === "" ? undefined : JSON.parse(text)) as T
  }

  async text(method: string, path: string, options: RequestOptions = {}): Promise<string> {
    return readText((await this.request(method, path, options)).body)
  }

  /** For an answer without content; returns its status (204, 304). */
  async call(method: string, path: string, options: RequestOptions = {}): Promise<number> {
    const answer = await this.request(method, path, options)
    for await (const _ of answer.body);
    return answer.status
  }

  /** Turns the connection into a raw stream, as attach and exec do. */
  async hijack(
    path: string,
    options: RequestOptions = {},
  ): Promise<{ stream: Duplex; multiplexed: boolean | undefined }> {
    const connection = await this.#open(this.address)
    const headers = { ...options.headers, Connection: "Upgrade", Upgrade: "tcp" }
    await send(connection, "POST", path, { ...options, headers })
    const head = await readHead(connection)
    if (head === undefined)
      throw new DhowError("unavailable", `The daemon at "${this.address.host}" closed the connection without an answer`)
    if (head.status >= 400) throw await errorOf(head.status, readBody(connection, head, "POST"))
    const type = head.headers.get("content-type")
    const multiplexed = type === undefined ? undefined : type === "application/vnd.docker.multiplexed-stream"
    return { stream: connection, multiplexed: type === "application/vnd.docker.raw-stream" ? undefined : multiplexed }
  }

  #takeIdle(): Duplex | undefined {
    for (let found = this.#idle.pop(); found !== undefined; found = this.#idle.pop()) {
      if (!found.closed) return found
    }
    return undefined
  }

  async *#bodyOf(connection: Duplex, head: ResponseHead, method: string): AsyncGenerator<Uint8Array> {
    let complete = false
    try {
      yield* readBody(connection, head, method)
      complete = true
    } finally {
      if (complete && keepsAlive(head)) this.#idle.push(connection)
      else connection.close()
    }
  }
}

/** Opens the socket, or says why it cannot be. */
export async function connect(address: Address): Promise<Duplex> {
  try {
    return await Duplex.open(address.path)
  } catch (error) {
    throw connectionError(address, error)
  }
}

export function connectionError(address: Address, cause: unknown): DhowError {
  if (errnoName(cause) === "EACCES")
    return new DhowError("forbidden", `Permission denied on the socket of the daemon at "${address.host}"`, {
      cause,
      hint: "Run as root, or as a user who may use the socket",
    })
  return new DhowError("unavailable", `Cannot connect to the daemon at "${address.host}"`, {
    cause,
    hint: `Is it running? Start it with: dhow daemon${address.isDefault ? "" : ` -H ${address.host}`}`,
  })
}

/** 100 Continue and its kin come before the answer proper. */
async function readFinalHead(connection: Duplex): Promise<ResponseHead | undefined> {
  let head = await readHead(connection)
  while (head !== undefined && head.status >= 100 && head.status < 200) head = await readHead(connection)
  return head
}

export function formatQuery(query: Query | undefined): string {
  const parts: string[] = []
  for (const [name, value] of Object.entries(query ?? {})) {
    if (value === undefined || value === false || value === "") continue
    const values = Array.isArray(value) ? value : [value === true ? "1" : String(value)]
    for (const one of values) parts.push(`${name}=${encodeURIComponent(one)}`)
  }
  return parts.length === 0 ? "" : `?${parts.join("&")}`
}

async function send(connection: Duplex, method: string, path: string, options: RequestOptions): Promise<void> {
  const json = options.json === undefined ? undefined : encoder.encode(JSON.stringify(options.json))
  let head = `${method} ${path}${formatQuery(options.query)} HTTP/1.1\r\nHost: dhow\r\nUser-Agent: dhow\r\n`
  for (const [name, value] of Object.entries(options.headers ?? {})) head += `${name}: ${value}\r\n`
  if (json !== undefined) head += `Content-Type: application/json\r\nContent-Length: ${json.byteLength}\r\n\r\n`
  else if (options.body !== undefined)
    head += `Content-Type: ${options.contentType ?? "application/x-tar"}\r\nTransfer-Encoding: chunked\r\n\r\n`
  else head += method === "GET" || method === "HEAD" ? "\r\n" : "Content-Length: 0\r\n\r\n"
  const start = encoder.encode(head)
  await connection.write(json === undefined ? start : Buffer.concat([start, json]))
  if (options.body !== undefined) await sendChunks(connection, options.body)
}

async function sendChunks(connection: Duplex, body: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const chunk of body) {
    if (chunk.byteLength === 0) continue
    // A daemon that answered early has closed: what it said is read by the caller.
    if (connection.closed) return
    await connection.write(encoder.encode(`${chunk.byteLength.toString(16)}\r\n`))
    await connection.write(chunk)
    await connection.write(encoder.encode("\r\n"))
  }
  await connection.write(encoder.encode("0\r\n\r\n"))
}

export async function readText(body: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = []
  for await (const chunk of body) chunks.push(chunk)
  return Buffer.concat(chunks).toString("utf8")
}

async function errorOf(status: number, body: AsyncIterable<Uint8Array>): Promise<DhowError> {
  const text = (await readText(body)).trim()
  let message = text
  let hint: string | undefined
  try {
    const parsed: unknown = JSON.parse(text)
    if (parsed !== null && typeof parsed === "object") {
      if ("message" in parsed && typeof parsed.message === "string") message = parsed.message
      if ("hint" in parsed && typeof parsed.hint === "string") hint = parsed.hint
    }
  } catch {
    // Not JSON: the text itself is the message.
  }
  const kind = KINDS[status] ?? "internal"
  // Other clients know only the message, so the daemon repeats the hint there.
  if (hint !== undefined && message.endsWith(` (${hint})`)) message = message.slice(0, -` (${hint})`.length)
  const said = message === "" ? `The daemon answered with status ${status} and no message` : message.trim()
  return new DhowError(kind, said, hint === undefined ? {} : { hint })
}
