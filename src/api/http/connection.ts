// One client connection: requests in turn, each answered before the next is read. Bytes that belong to nobody yet are
// held, up to a bound; a client that leaves aborts the request it was waiting for.

import type { Caller } from "../../engine/contract.ts"
import { DhowError, describeError } from "../../lib/errors.ts"
import { log } from "../../lib/log.ts"
import type { Asker } from "../../wire/exit.ts"
import { RequestBody } from "./body.ts"
import { chunkedWriter, LAST_CHUNK, plainWriter } from "./body-writer.ts"
import { Exchange } from "./exchange.ts"
import { bodyDecoder } from "./framing.ts"
import { bodyFraming, HEAD_LIMIT, HeadScanner, ProtocolError, parseHead, type RequestHead } from "./head.ts"
import { type ByteSocket, Output } from "./output.ts"
import { callerOf, describePeer } from "./peer.ts"
import { HijackedStream } from "./raw-stream.ts"
import type { Handler, Reply } from "./reply.ts"
import { responseHead } from "./wire-head.ts"

/** How much of a body nobody read is swallowed to keep the connection. */
const DISCARD_LIMIT = 256 * 1024
/** How long a client may take to close its side after we have closed ours. */
const LINGER_MS = 2000

export type ConnectionSocket = ByteSocket & { pause(): void; resume(): void; terminate(): void; readonly fd?: number }

export type ConnectionOptions = {
  readonly handle: Handler
  /** Header lines of every answer, each with its line end. */
  readonly commonHeaders: string
}

export class Connection {
  readonly #socket: ConnectionSocket
  readonly #out: Output
  readonly #options: ConnectionOptions
  #held: Uint8Array | undefined
  #scanner = new HeadScanner()
  #exchange: Exchange | undefined
  #raw: HijackedStream | undefined
  /** Bytes of an unread body still to be swallowed, while that is done. */
  #discardLeft: number | undefined
  #inputEnded = false
  #closing = false
  #closed = false
  #linger: ReturnType<typeof setTimeout> | undefined
  readonly #caller = (): Caller | undefined => callerOf(this.#socket.fd ?? -1)
  readonly #peer = (): Asker | undefined => describePeer(this.#socket.fd ?? -1)

  constructor(socket: ConnectionSocket, options: ConnectionOptions) {
    this.#socket = socket
    this.#out = new Output(socket)
    this.#options = options
  }

  /** Nothing is being answered: closing now cuts nobody off. */
  get idle(): boolean {
    return this.#exchange === undefined
  }

  data(chunk: Uint8Array): void {
    if (this.#closing) return
    if (this.#exchange !== undefined && !this.#exchange.decoder.done) this.#feed(this.#exchange, chunk)
    else if (this.#raw !== undefined) this.#raw.receive(chunk)
    else this.#hold(chunk)
    if (this.#exchange === undefined) this.#next()
  }

  drain(): void {
    this.#out.drain()
  }

  /** The client closed its side; it may still read. */
  inputEnd(): void {
    this.#inputEnded = true
    if (this.#exchange === undefined) {
      this.#close()
      return
    }
    this.#exchange.body.fail(new DhowError("invalid", "Request body ended before its announced length"))
    this.#raw?.receiveEnd()
    // The answer is out and the rest of the body, which was being swallowed, will never come.
    if (this.#discardLeft !== undefined) this.#close()
  }

  /** The socket is closed in both directions. */
  closed(): void {
    clearTimeout(this.#linger)
    this.#closed = true
    this.#closing = true
    this.#out.gone()
    this.#exchange?.body.fail(new DhowError("cancelled", "The client went away"))
    this.#raw?.receiveEnd()
    this.#exchange?.abort()
  }

  close(): void {
    if (this.idle) this.#close()
    else this.#exchange!.keepAlive = false
  }

  #hold(chunk: Uint8Array): void {
    this.#held = this.#held === undefined ? chunk : Buffer.concat([this.#held, chunk])
    if (this.#exchange !== undefined && this.#held.length > HEAD_LIMIT) this.#socket.pause()
  }

  #next(): void {
    while (this.#exchange === undefined && this.#held !== undefined && !this.#closing) {
      try {
        const found = this.#scanner.find(this.#held)
        if (found === undefined) return
        const bytes = this.#held
        this.#held = found.end < bytes.length ? bytes.subarray(found.end) : undefined
        this.#scanner = new HeadScanner()
        const text = Buffer.from(bytes.buffer, bytes.byteOffset + found.start, found.end - found.start)
        this.#begin(parseHead(text.toString("latin1")))
      } catch (error) {
        this.#refuse(error)
      }
    }
  }

  #begin(head: RequestHead): void {
    const framing = bodyFraming(head)
    const expectsContinue = head.minorVersion === 1 && head.headers.get("expect")?.toLowerCase() === "100-continue"
    let continued = !expectsContinue
    const body = new RequestBody(framing === "chunked" ? undefined : framing, {
      pause: () => this.#socket.pause(),
      resume: () => this.#socket.resume(),
      wanted: () => {
        if (continued) return
        continued = true
        this.#out.write(Buffer.from("HTTP/1.1 100 Continue\r\n\r\n"))
      },
    })
    const exchange = new Exchange(head, body, { decoder: bodyDecoder(framing), peer: this.#peer, caller: this.#caller })
    this.#exchange = exchange
    const held = this.#held
    this.#held = undefined
    if (held !== undefined) {
      if (exchange.decoder.done) this.#held = held
      else this.#feed(exchange, held)
    }
    if (this.#inputEnded) body.fail(new DhowError("invalid", "Request body ended before its announced length"))
    void this.#serve(exchange, () => continued)
  }

  /** Passes on what belongs to the request's body, and holds what lies behind it. */
  #feed(exchange: Exchange, chunk: Uint8Array): void {
    const raw = this.#raw
    try {
      const used = exchange.decoder.decode(chunk, (part) => {
        if (raw === undefined) exchange.body.push(part)
        else raw.receive(part)
      })
      if (exchange.decoder.done) {
        exchange.body.end()
        // In a chunked body the client itself says where its input ends.
        if (raw !== undefined && exchange.body.length === undefined) raw.receiveEnd()
      }
      if (used < chunk.length) {
        if (raw === undefined) this.#hold(chunk.subarray(used))
        else raw.receive(chunk.subarray(used))
      }
      if (this.#discardLeft !== undefined) this.#discard(exchange, used)
    } catch (error) {
      exchange.keepAlive = false
      exchange.body.fail(error)
      raw?.receiveEnd()
      if (this.#discardLeft !== undefined) this.#close()
    }
  }

  /** The rest of a body that nobody read is swallowed before the next request can be. */
  #discard(exchange: Exchange, bytes: number): void {
    this.#discardLeft = (this.#discardLeft ?? DISCARD_LIMIT) - bytes
    if (exchange.decoder.done) {
      this.#discardLeft = undefined
      this.#ready()
    } else if (this.#discardLeft < 0) this.#close()
  }

  async #serve(exchange: Exchange, continued: () => boolean): Promise<void> {
    try {
      let reply: Reply
      try {
        reply = await this.#options.handle(exchange.request)
      } catch (error) {
        log.error("request handler failed", { path: exchange.request.path, error: describeError(error) })
        reply = { kind: "whole", status: 500, body: "internal error\n" }
      }
      // Whether the client would still send the body it asked leave for is unknown: nothing can follow on this connection.
      if (!continued() && !exchange.body.ended) exchange.keepAlive = false
      if (reply.kind === "hijack") return this.#hijack(exchange, reply)
      if (reply.kind === "whole") this.#sendWhole(exchange, reply)
      else await this.#sendStream(exchange, reply)
      await this.#out.drained()
      this.#finish(exchange)
    } catch (error) {
      if (!this.#closed) log.warn("answer broken off", { path: exchange.request.path, error: describeError(error) })
      exchange.abort()
      this.#closing = true
      this.#socket.terminate()
    }
  }

  #sendWhole(exchange: Exchange, reply: Reply & { kind: "whole" }): void {
    const { method, minorVersion } = exchange.request
    const bodiless = reply.status === 204 || reply.status === 304
    const body = typeof reply.body === "string" ? Buffer.from(reply.body) : reply.body
    const headers = { ...reply.headers }
    if (!bodiless) headers["Content-Length"] ??= String(body?.length ?? 0)
    if (!exchange.keepAlive) headers["Connection"] = "close"
    else if (minorVersion === 0) headers["Connection"] = "keep-alive"
    const head = Buffer.from(responseHead(minorVersion, reply.status, headers, this.#options.commonHeaders), "latin1")
    if (bodiless || body === undefined || method === "HEAD") this.#out.write(head)
    else this.#out.writeGathered([head, body])
  }

  async #sendStream(exchange: Exchange, reply: Reply & { kind: "stream" }): Promise<void> {
    const { method, minorVersion } = exchange.request
    const chunked = minorVersion === 1
    if (!chunked) exchange.keepAlive = false
    const headers = { ...reply.headers }
    if (chunked) headers["Transfer-Encoding"] = "chunked"
    if (!exchange.keepAlive) headers["Connection"] = "close"
    this.#out.write(
      Buffer.from(responseHead(minorVersion, reply.status, headers, this.#options.commonHeaders), "latin1"),
    )
    if (method === "HEAD") return
    await reply.send(chunked ? chunkedWriter(this.#out) : plainWriter(this.#out))
    if (chunked) this.#out.write(LAST_CHUNK)
  }

  #hijack(exchange: Exchange, reply: Reply & { kind: "hijack" }): void {
    const upgraded = reply.opening !== undefined || exchange.request.headers.has("upgrade")
    const headers = reply.opening
      ? reply.opening
      : upgraded
        ? { "Content-Type": reply.contentType.upgraded, Connection: "Upgrade", Upgrade: "tcp" }
        : { "Content-Type": reply.contentType.plain, Connection: "close" }
    const head = responseHead(1, upgraded ? 101 : 200, headers, this.#options.commonHeaders)
    const raw = new HijackedStream(this.#out, {
      signal: exchange.signal,
      flow: { pause: () => this.#socket.pause(), resume: () => this.#socket.resume() },
      ended: () => this.#close(),
    })
    this.#out.write(Buffer.from(head, "latin1"))
    this.#raw = raw
    const unread = exchange.body.takeQueued()
    // A chunked body that is over was all the input there is; unless it was read, and so was not input.
    const inputOver = exchange.body.length === undefined && exchange.decoder.done && unread.length > 0
    for (const part of unread) raw.receive(part)
    if (this.#held !== undefined) raw.receive(this.#held)
    this.#held = undefined
    if (this.#inputEnded || inputOver) raw.receiveEnd()
    reply.take(raw)
  }

  #finish(exchange: Exchange): void {
    if (this.#closing) return
    // What the client sent before it closed its side is still answered: pipelined requests may be among it.
    if (!exchange.keepAlive || (this.#inputEnded && this.#held === undefined)) this.#close()
    else if (exchange.decoder.done) this.#ready()
    else {
      exchange.body.discard()
      this.#discard(exchange, 0)
    }
  }

  #ready(): void {
    this.#exchange = undefined
    this.#socket.resume()
    this.#next()
    if (this.#inputEnded && this.#exchange === undefined) this.#close()
  }

  /** Answers a request that cannot be read, and closes: what follows on the connection has no known beginning. */
  #refuse(error: unknown): void {
    const status = error instanceof ProtocolError ? error.status : 400
    const message = error instanceof Error ? error.message : String(error)
    const headers = { "Content-Type": "application/json", Connection: "close" }
    const body = Buffer.from(`${JSON.stringify({ message })}\n`)
    const head = responseHead(
      1,
      status,
      { ...headers, "Content-Length": String(body.length) },
      this.#options.commonHeaders,
    )
    this.#out.writeGathered([Buffer.from(head, "latin1"), body])
    this.#close()
  }

  /** Closes our side when all is written, then waits for the client's a little: an abrupt close could lose the answer. */
  #close(): void {
    if (this.#closing) return
    this.#closing = true
    this.#held = undefined
    this.#socket.resume()
    this.#out.end()
    void this.#out.drained().then(() => {
      if (this.#closed) return
      this.#linger = setTimeout(() => this.#socket.terminate(), LINGER_MS)
      this.#linger.unref()
    })
  }
}
