// The frames of a WebSocket as RFC 6455 has them, read as they come: a payload goes on in pieces, so that no length that
// a client claims makes us keep bytes for it. What breaks the protocol is told from what ends it.
import { copyOf } from "../../lib/bytes.ts"

export const OPCODE = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const
/** Status codes of a close frame. */
export const CLOSE = { normal: 1000, protocol: 1002, tooBig: 1009 } as const

const CONTROL_LIMIT = 125
const MASK_BYTES = 4
const LONGEST_HEAD = 14

export type FrameEvents = {
  /** Payload of text and binary frames, unmasked; false asks the caller of `read` to wait. The bytes are the taker's. */
  data(payload: Uint8Array): boolean
  control(opcode: number, payload: Uint8Array): void
}

export class FrameError extends Error {
  readonly code: number
  constructor(code: number, message: string) {
    super(message)
    this.code = code
  }
}

type Frame = { readonly opcode: number; readonly mask: Uint8Array; left: number; at: number }

/** Reads a client's frames. */
export class FrameReader {
  readonly #events: FrameEvents
  readonly #head = new Uint8Array(LONGEST_HEAD)
  #headLength = 0
  #frame: Frame | undefined
  #control: Uint8Array = new Uint8Array(0)
  /** A message was begun whose last frame has not come. */
  #inMessage = false

  constructor(events: FrameEvents) {
    this.#events = events
  }

  /** Takes bytes as they came; false when the taker of data asks to wait. Throws FrameError. */
  read(bytes: Uint8Array): boolean {
    let taken = true
    let at = 0
    while (at < bytes.length) {
      if (this.#frame === undefined) {
        this.#head[this.#headLength++] = bytes[at++]!
        this.#frame = this.#parseHead()
      } else {
        const piece = bytes.subarray(at, at + this.#frame.left)
        at += piece.length
        if (!this.#take(this.#frame, piece)) taken = false
      }
      if (this.#frame?.left === 0) this.#finish(this.#frame)
    }
    return taken
  }

  /** The frame whose head is complete, or undefined while bytes of it are missing. */
  #parseHead(): Frame | undefined {
    const [first = 0, second = 0] = this.#head
    if (this.#headLength === 1) this.#checkFirst(first)
    if (this.#headLength < 2) return undefined
    if ((second & 0x80) === 0) throw new FrameError(CLOSE.protocol, "a frame is not masked")
    const short = second & 0x7f
    const opcode = first & 0x0f
    if (opcode >= OPCODE.close && short > CONTROL_LIMIT)
      throw new FrameError(CLOSE.protocol, "a control frame is too long")
    const lengthBytes = short === 126 ? 2 : short === 127 ? 8 : 0
    if (this.#headLength < 2 + lengthBytes + MASK_BYTES) return undefined
    const view = new DataView(this.#head.buffer)
    const length = lengthBytes === 0 ? short : lengthBytes === 2 ? view.getUint16(2) : Number(view.getBigUint64(2))
    if (!Number.isSafeInteger(length)) throw new FrameError(CLOSE.tooBig, "a frame is too long")
    this.#headLength = 0
    if (opcode < OPCODE.close) this.#inMessage = (first & 0x80) === 0
    const maskAt = 2 + lengthBytes
    return { opcode, mask: this.#head.slice(maskAt, maskAt + MASK_BYTES), left: length, at: 0 }
  }

  #checkFirst(first: number): void {
    const opcode = first & 0x0f
    const isFinal = (first & 0x80) !== 0
    if ((first & 0x70) !== 0) throw new FrameError(CLOSE.protocol, "a frame uses an extension that was not agreed on")
    if (opcode >= OPCODE.close) {
      if (!isFinal) throw new FrameError(CLOSE.protocol, "a control frame is fragmented")
      if (opcode > OPCODE.pong) throw new FrameError(CLOSE.protocol, `a frame has the unknown opcode ${opcode}`)
    } else if (opcode > OPCODE.binary) throw new FrameError(CLOSE.protocol, `a frame has the unknown opcode ${opcode}`)
    else if ((opcode === OPCODE.continuation) !== this.#inMessage)
      throw new FrameError(CLOSE.protocol, "the frames of a message are out of order")
  }

  #take(frame: Frame, piece: Uint8Array): boolean {
    const plain = copyOf(piece)
    for (let index = 0; index < plain.length; index++) plain[index]! ^= frame.mask[(frame.at + index) % MASK_BYTES]!
    frame.at += plain.length
    frame.left -= plain.length
    if (frame.opcode < OPCODE.close) return this.#events.data(plain)
    const longer = new Uint8Array(this.#control.length + plain.length)
    longer.set(this.#control)
    longer.set(plain, this.#control.length)
    this.#control = longer
    return true
  }

  #finish({ opcode }: Frame): void {
    this.#frame = undefined
    if (opcode < OPCODE.close) return
    const payload = this.#control
    this.#control = new Uint8Array(0)
    this.#events.control(opcode, payload)
  }
}

/** The head of a frame that a server sends: whole, and never masked. */
export function frameHead(opcode: number, length: number): Uint8Array {
  const size = length < 126 ? 2 : length < 65_536 ? 4 : 10
  const head = new Uint8Array(size)
  const view = new DataView(head.buffer)
  head[0] = 0x80 | opcode
  head[1] = size === 2 ? length : size === 4 ? 126 : 127
  if (size === 4) view.setUint16(2, length)
  if (size === 10) view.setBigUint64(2, BigInt(length))
  return head
}

/** The payload of a close frame. */
export function closePayload(code: number): Uint8Array {
  return Uint8Array.of(code >> 8, code & 0xff)
}
