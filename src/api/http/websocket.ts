// A WebSocket on a connection that was taken over: the opening handshake of RFC 6455, and the byte stream behind it,
// which whoever uses it sees as any other taken-over connection. Output goes out in frames of one kind.
import { createHash } from "node:crypto"
import { DhowError } from "../../lib/errors.ts"
import { log } from "../../lib/log.ts"
import { hasToken } from "./head.ts"
import type { ByteSink, Headers, HttpRequest, RawStream } from "./reply.ts"
import { CLOSE, closePayload, FrameError, FrameReader, frameHead, OPCODE } from "./websocket-frames.ts"

const GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
const VERSION = "13"

/** The fields of the answer that opens a WebSocket; throws where the request does not ask for one properly. */
export function openingHeaders(request: HttpRequest): Headers {
  const { headers } = request
  const refuse = (what: string): DhowError => new DhowError("invalid", `bad WebSocket handshake: ${what}`)
  if (!hasToken(headers.get("upgrade"), "websocket")) throw refuse('no "Upgrade: websocket"')
  if (!hasToken(headers.get("connection"), "upgrade")) throw refuse('no "Connection: Upgrade"')
  if (headers.get("sec-websocket-version") !== VERSION) throw refuse(`"Sec-WebSocket-Version" is not ${VERSION}`)
  const key = headers.get("sec-websocket-key") ?? ""
  if (!/^[A-Za-z0-9+/]{22}==$/.test(key)) throw refuse('"Sec-WebSocket-Key" is not 16 bytes in base64')
  const protocols = (headers.get("sec-websocket-protocol") ?? "").split(",").map((name) => name.trim())
  if (protocols.length > 1) throw refuse("more than one protocol to choose from")
  const [protocol = ""] = protocols
  return {
    Upgrade: "websocket",
    Connection: "Upgrade",
    "Sec-WebSocket-Accept": createHash("sha1").update(`${key}${GUID}`).digest("base64"),
    // Clients that name one give up where the server does not take it.
    ...(protocol === "" ? {} : { "Sec-WebSocket-Protocol": protocol }),
  }
}

export class WebSocketStream implements RawStream {
  readonly signal: AbortSignal
  readonly #raw: RawStream
  readonly #opcode: number
  #isClosing = false
  /** A pong waits for earlier bytes to go out: the pings that come meanwhile are answered by it. */
  #pongWaits = false

  constructor(raw: RawStream, kind: "text" | "binary") {
    this.signal = raw.signal
    this.#raw = raw
    this.#opcode = OPCODE[kind]
  }

  write(chunk: Uint8Array): boolean {
    if (this.#isClosing || chunk.length === 0) return true
    return this.#raw.writeFramed(frameHead(this.#opcode, chunk.length), chunk)
  }

  writeFramed(frame: Uint8Array, chunk: Uint8Array): boolean {
    return this.write(Buffer.concat([frame, chunk]))
  }

  drained(): Promise<void> {
    return this.#raw.drained()
  }

  end(): void {
    this.#close(CLOSE.normal)
  }

  readInto(sink: ByteSink): void {
    const reader = new FrameReader({
      data: (payload) => sink.write(payload),
      control: (opcode, payload) => this.#control(opcode, payload, sink),
    })
    this.#raw.readInto({
      write: (chunk) => {
        // What comes behind a close frame is nobody's.
        if (this.#isClosing) return true
        try {
          return reader.read(chunk)
        } catch (error) {
          if (!(error instanceof FrameError)) throw error
          log.debug("A WebSocket client broke the protocol", { error: error.message })
          this.#close(error.code)
          sink.end()
          return true
        }
      },
      drained: () => sink.drained(),
      end: () => {
        if (!this.#isClosing) sink.end()
      },
    })
  }

  #control(opcode: number, payload: Uint8Array, sink: ByteSink): void {
    if (this.#isClosing) return
    if (opcode === OPCODE.ping) this.#pong(payload)
    else if (opcode === OPCODE.close) {
      this.#close(payload.length >= 2 ? (payload[0]! << 8) | payload[1]! : CLOSE.normal)
      sink.end()
    }
  }

  /** One at a time: a client that pings without reading must not fill our memory with answers. */
  #pong(payload: Uint8Array): void {
    if (this.#pongWaits) return
    if (this.#raw.writeFramed(frameHead(OPCODE.pong, payload.length), payload)) return
    this.#pongWaits = true
    void this.#raw.drained().then(() => {
      this.#pongWaits = false
    })
  }

  #close(code: number): void {
    if (this.#isClosing) return
    this.#isClosing = true
    const payload = closePayload(code)
    this.#raw.writeFramed(frameHead(OPCODE.close, payload.length), payload)
    this.#raw.end()
  }
}
