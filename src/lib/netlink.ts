// Netlink: messages as bytes, and a socket that sends a batch and reads its answers. The kernel handles a request
// inside send(2), so that everything here is synchronous and the answers are there at once.
import { closeSync } from "node:fs"
import { constants } from "node:os"
import { check, lastError, libc } from "./syscalls/libc.ts"

export const NETLINK_ROUTE = 0
export const NETLINK_NETFILTER = 12
export const NLM_F = { REQUEST: 1, ACK: 4, EXCL: 0x200, CREATE: 0x400, DUMP: 0x300, APPEND: 0x800 } as const

const AF_NETLINK = 16
const SOCK_RAW = 3
const SOCK_CLOEXEC = 0o2000000
const SOL_SOCKET = 1
const SO_SNDBUFFORCE = 32
const SEND_BUFFER_BYTES = 4 * 1024 * 1024
const MSG_DONTWAIT = 0x40
const MSG_TRUNC = 0x20
const NLMSG_ERROR = 2
const NLMSG_DONE = 3
const HEADER_BYTES = 16
const NLA_F_NESTED = 0x8000
const NLA_TYPE_MASK = 0x3fff

/** The kernel's answers are smaller; one buffer serves all sockets, since what is kept of it is copied out. */
const received = Buffer.alloc(64 * 1024)

export type NetlinkMessage = { readonly type: number; readonly flags: number; readonly body: readonly Uint8Array[] }
export type NetlinkAnswer = { readonly type: number; readonly body: Buffer }

export function u16be(value: number): Uint8Array {
  return Uint8Array.of(value >> 8, value & 0xff)
}

export function u32(value: number): Uint8Array {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(value >>> 0)
  return bytes
}

export function u32be(value: number): Uint8Array {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value >>> 0)
  return bytes
}

export function cstr(text: string): Uint8Array {
  return Buffer.from(`${text}\0`)
}

/** One attribute, padded to four bytes. */
export function attribute(type: number, ...payload: readonly Uint8Array[]): Uint8Array {
  const length = 4 + payload.reduce((sum, part) => sum + part.length, 0)
  const bytes = Buffer.alloc((length + 3) & ~3)
  bytes.writeUInt16LE(length, 0)
  bytes.writeUInt16LE(type, 2)
  let at = 4
  for (const part of payload) {
    bytes.set(part, at)
    at += part.length
  }
  return bytes
}

export function nested(type: number, ...attributes: readonly Uint8Array[]): Uint8Array {
  return attribute(type | NLA_F_NESTED, ...attributes)
}

/** The attributes in `bytes` by type; of a repeated type the last. */
export function readAttributes(bytes: Buffer): Map<number, Buffer> {
  const found = new Map<number, Buffer>()
  for (let at = 0; at + 4 <= bytes.length; ) {
    const length = bytes.readUInt16LE(at)
    if (length < 4 || at + length > bytes.length) break
    found.set(bytes.readUInt16LE(at + 2) & NLA_TYPE_MASK, bytes.subarray(at + 4, at + length))
    at += (length + 3) & ~3
  }
  return found
}

export class NetlinkSocket implements Disposable {
  readonly #fd: number
  #sequence = 0

  /** Belongs to the network namespace that the calling thread is in, for good. */
  constructor(protocol: number = NETLINK_ROUTE) {
    this.#fd = check(libc().socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol), "socket")
    // Thousands of ports in one transaction. Without the privilege the usual limit stays.
    const size = Buffer.alloc(4)
    size.writeInt32LE(SEND_BUFFER_BYTES)
    libc().setsockopt(this.#fd, SOL_SOCKET, SO_SNDBUFFORCE, size, size.length)
  }

  [Symbol.dispose](): void {
    closeSync(this.#fd)
  }

  /**
   * Sends all messages at once and returns what was answered besides acknowledgements. Throws the first error that the
   * kernel reported, with its errno name as `code`; later messages of the batch were tried nevertheless.
   */
  request(messages: readonly NetlinkMessage[], what: string): NetlinkAnswer[] {
    const first = this.#sequence + 1
    const bytes = Buffer.concat(messages.map((message) => this.#encode(message)))
    if (Number(libc().send(this.#fd, bytes, BigInt(bytes.length), 0)) < 0) throw lastError(what)
    // The answer to a dump comes in several datagrams and ends with NLMSG_DONE; everything else is acknowledged.
    const awaited = new Set<number>()
    messages.forEach((message, index) => {
      if ((message.flags & (NLM_F.ACK | NLM_F.DUMP)) !== 0) awaited.add(first + index)
    })
    const answers: NetlinkAnswer[] = []
    let failure: number | undefined
    while (awaited.size > 0) {
      for (const { type, sequence, body } of splitMessages(this.#receive(what))) {
        if (!awaited.has(sequence)) continue
        if (type === NLMSG_ERROR || type === NLMSG_DONE) {
          awaited.delete(sequence)
          const code = body.length >= 4 ? body.readInt32LE(0) : 0
          if (code < 0) failure ??= -code
        } else answers.push({ type, body: Buffer.from(body) })
      }
    }
    if (failure !== undefined) throw netlinkError(failure, what)
    return answers
  }

  #encode(message: NetlinkMessage): Buffer {
    const header = Buffer.alloc(HEADER_BYTES)
    header.writeUInt32LE(HEADER_BYTES + message.body.reduce((sum, part) => sum + part.length, 0), 0)
    header.writeUInt16LE(message.type, 4)
    header.writeUInt16LE(message.flags | NLM_F.REQUEST, 6)
    header.writeUInt32LE(++this.#sequence, 8)
    return Buffer.concat([header, ...message.body])
  }

  #receive(what: string): Buffer {
    const length = Number(libc().recv(this.#fd, received, BigInt(received.length), MSG_DONTWAIT | MSG_TRUNC))
    if (length < 0) throw lastError(what)
    if (length > received.length) throw new RangeError(`An answer of ${length} bytes to "${what}" was cut off`)
    return received.subarray(0, length)
  }
}

/** The messages of one datagram. */
export function* splitMessages(datagram: Buffer): Generator<{ type: number; sequence: number; body: Buffer }> {
  for (let at = 0; at + HEADER_BYTES <= datagram.length; ) {
    const length = datagram.readUInt32LE(at)
    if (length < HEADER_BYTES || at + length > datagram.length) return
    yield {
      type: datagram.readUInt16LE(at + 4),
      sequence: datagram.readUInt32LE(at + 8),
      body: datagram.subarray(at + HEADER_BYTES, at + length),
    }
    at += (length + 3) & ~3
  }
}

function netlinkError(errno: number, what: string): NodeJS.ErrnoException {
  const code = Object.entries(constants.errno).find(([, number]) => number === errno)?.[0] ?? `errno ${errno}`
  return Object.assign(new Error(`${code}: ${what}`), { code, errno: -errno, syscall: "netlink" })
}
