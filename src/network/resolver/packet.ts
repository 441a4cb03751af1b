// DNS messages on the wire (RFC 1035, 6891, 8914). Packets are hostile: every length is checked before it is used, a
// compression pointer leads backwards only, and nothing is allocated by a count that a packet claims.

export const TYPE = { A: 1, NS: 2, CNAME: 5, SOA: 6, PTR: 12, MX: 15, AAAA: 28, SRV: 33, OPT: 41, ANY: 255 } as const
export const RCODE = { NOERROR: 0, FORMERR: 1, SERVFAIL: 2, NXDOMAIN: 3, NOTIMP: 4, REFUSED: 5, BADVERS: 16 } as const
export const FLAG = { QR: 0x8000, TC: 0x0200, RD: 0x0100, RA: 0x0080, AD: 0x0020, CD: 0x0010 } as const
export const CLASS_IN = 1
export const HEADER_BYTES = 12
/** What a client without EDNS takes over UDP. */
export const PLAIN_UDP_BYTES = 512
/** What we say that we take over UDP: what passes every path without fragments. */
export const OUR_UDP_BYTES = 1232

const LONGEST_NAME = 255
const MOST_POINTERS = 64
const OPCODE_MASK = 0x7800

export type Name = {
  /** As a person writes it, without the last dot; bytes that are no letters of a host name are escaped. */
  readonly text: string
  /** Equal for names that are equal to the DNS. */
  readonly key: string
  /** First byte after it. */
  readonly end: number
}

export type Edns = { readonly size: number; readonly version: number; readonly dnssecOk: boolean }

export type Query = {
  readonly id: number
  readonly flags: number
  readonly name: Name
  readonly type: number
  readonly class: number
  /** The question as it was written, letters in their case. */
  readonly question: Buffer
  readonly edns: Edns | undefined
}

/** Undefined for what is not answered at all: too short, or itself an answer. A code where only the header can be read. */
export function readQuery(packet: Buffer): Query | { readonly id: number; readonly rcode: number } | undefined {
  if (packet.length < HEADER_BYTES) return undefined
  const id = packet.readUInt16BE(0)
  const flags = packet.readUInt16BE(2)
  if ((flags & FLAG.QR) !== 0) return undefined
  if ((flags & OPCODE_MASK) !== 0) return { id, rcode: RCODE.NOTIMP }
  if (packet.readUInt16BE(4) !== 1) return { id, rcode: RCODE.FORMERR }
  const name = readName(packet, HEADER_BYTES)
  if (name === undefined || name.end + 4 > packet.length) return { id, rcode: RCODE.FORMERR }
  const records = readRecords(packet, name.end + 4, counts(packet))
  if (records === undefined) return { id, rcode: RCODE.FORMERR }
  const opts = records.filter((record) => record.section === 2 && record.type === TYPE.OPT)
  if (opts.length > 1) return { id, rcode: RCODE.FORMERR }
  return {
    id,
    flags,
    name,
    type: packet.readUInt16BE(name.end),
    class: packet.readUInt16BE(name.end + 2),
    question: Buffer.from(packet.subarray(HEADER_BYTES, name.end + 4)),
    edns: opts[0] === undefined ? undefined : readEdns(packet, opts[0]),
  }
}

/** One resource record, by where its parts lie. */
export type Span = {
  /** 0 answer, 1 authority, 2 additional. */
  readonly section: 0 | 1 | 2
  readonly start: number
  readonly type: number
  readonly class: number
  /** Of the TTL; its data begins 6 bytes later. */
  readonly ttlAt: number
  readonly data: number
  readonly end: number
}

export type Response = { readonly rcode: number; readonly truncated: boolean; readonly records: readonly Span[] }

/** An answer to this very question; undefined for everything else. */
export function readResponse(
  packet: Buffer,
  asked: { readonly id: number; readonly query: Query },
): Response | undefined {
  if (packet.length < HEADER_BYTES || packet.readUInt16BE(0) !== asked.id) return undefined
  const flags = packet.readUInt16BE(2)
  if ((flags & FLAG.QR) === 0 || (flags & OPCODE_MASK) !== 0 || packet.readUInt16BE(4) !== 1) return undefined
  const name = readName(packet, HEADER_BYTES)
  const { query } = asked
  if (name === undefined || name.key !== query.name.key || name.end + 4 > packet.length) return undefined
  if (packet.readUInt16BE(name.end) !== query.type || packet.readUInt16BE(name.end + 2) !== query.class)
    return undefined
  const records = readRecords(packet, name.end + 4, counts(packet))
  const truncated = (flags & FLAG.TC) !== 0
  if (records !== undefined) return { rcode: flags & 0xf, truncated, records }
  // A server may cut in the middle of a record; what it did not cut has to be whole.
  return truncated ? { rcode: flags & 0xf, truncated, records: [] } : undefined
}

/** Reads a name at `at`. Undefined where it leaves the packet, is longer than a name may be, or leads forwards. */
export function readName(packet: Buffer, at: number): Name | undefined {
  let text = ""
  let key = ""
  let length = 1
  let end: number | undefined
  let lowest = at
  for (let pointers = 0; ; ) {
    const size = packet[at]
    if (size === undefined) return undefined
    if (size === 0) return { text, key, end: end ?? at + 1 }
    if (size >= 0xc0) {
      const low = packet[at + 1]
      if (low === undefined || ++pointers > MOST_POINTERS) return undefined
      end ??= at + 2
      at = ((size & 0x3f) << 8) | low
      if (at >= lowest || at < HEADER_BYTES) return undefined
      lowest = at
      continue
    }
    if (size > 63) return undefined
    length += size + 1
    if (length > LONGEST_NAME || at + 1 + size > packet.length) return undefined
    const label = packet.toString("latin1", at + 1, at + 1 + size)
    key += String.fromCharCode(size) + lower(label)
    text += (text === "" ? "" : ".") + escapeLabel(label)
    at += size + 1
  }
}

/** The DNS knows no letters but ASCII's. */
function lower(label: string): string {
  return label.replace(/[A-Z]+/g, (letters) => letters.toLowerCase())
}

function escapeLabel(label: string): string {
  if (/^[\w-]+$/.test(label)) return label
  return label.replace(/[^\x21-\x7e]|[.\\]/g, (byte) =>
    byte === "." || byte === "\\" ? `\\${byte}` : `\\${String(byte.charCodeAt(0)).padStart(3, "0")}`,
  )
}

/** Undefined where a label is empty or too long, or the whole is. */
export function writeName(text: string): Buffer | undefined {
  const plain = text.endsWith(".") ? text.slice(0, -1) : text
  if (plain === "") return Buffer.of(0)
  const parts: Buffer[] = []
  for (const label of plain.split(".")) {
    const bytes = Buffer.from(label)
    if (bytes.length === 0 || bytes.length > 63) return undefined
    parts.push(Buffer.of(bytes.length), bytes)
  }
  const name = Buffer.concat([...parts, Buffer.of(0)])
  return name.length > LONGEST_NAME ? undefined : name
}

function counts(packet: Buffer): readonly [number, number, number] {
  return [packet.readUInt16BE(6), packet.readUInt16BE(8), packet.readUInt16BE(10)]
}

/** Undefined where a record leaves the packet. What follows the last one is not looked at. */
function readRecords(packet: Buffer, at: number, count: readonly [number, number, number]): Span[] | undefined {
  const records: Span[] = []
  for (const section of [0, 1, 2] as const)
    for (let index = 0; index < count[section]; index++) {
      const owner = skipName(packet, at)
      if (owner === undefined || owner + 10 > packet.length) return undefined
      const data = owner + 10
      const end = data + packet.readUInt16BE(owner + 8)
      if (end > packet.length) return undefined
      const [type, recordClass] = [packet.readUInt16BE(owner), packet.readUInt16BE(owner + 2)]
      records.push({ section, start: at, type, class: recordClass, ttlAt: owner + 4, data, end })
      at = end
    }
  return records
}

function skipName(packet: Buffer, at: number): number | undefined {
  for (;;) {
    const size = packet[at]
    if (size === undefined) return undefined
    if (size === 0) return at + 1
    if (size >= 0xc0) return at + 2 <= packet.length ? at + 2 : undefined
    if (size > 63) return undefined
    at += size + 1
  }
}

function readEdns(packet: Buffer, { class: size, ttlAt }: Span): Edns {
  const version = packet[ttlAt + 1] ?? 0
  return { size, version, dnssecOk: ((packet[ttlAt + 2] ?? 0) & 0x80) !== 0 }
}
