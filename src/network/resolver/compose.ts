// DNS messages as we write them: answers of our own, questions to other servers, and what is added to or taken from an
// answer of theirs before a client gets it.
import {
  CLASS_IN,
  FLAG,
  HEADER_BYTES,
  OUR_UDP_BYTES,
  PLAIN_UDP_BYTES,
  type Query,
  RCODE,
  type Span,
  TYPE,
} from "./packet.ts"

/** RFC 8914: a code and a text for whoever wonders. */
export type ExtendedError = { readonly code: number; readonly text: string }
export const EDE = { OTHER: 0, PROHIBITED: 18, NO_REACHABLE_SERVER: 22 } as const

const EDE_OPTION = 15
const LONGEST_TEXT = 400
const OPT_BYTES = 11
const ERROR_BYTES = 6

export type Answer = {
  readonly rcode: number
  readonly records: readonly { readonly type: number; readonly ttl: number; readonly data: Uint8Array }[]
  readonly error?: ExtendedError | undefined
}

/** How long an answer to this client may be. */
export function sizeLimit(query: Query, transport: "udp" | "tcp"): number {
  if (transport === "tcp") return 65_535
  return query.edns === undefined ? PLAIN_UDP_BYTES : Math.min(Math.max(query.edns.size, PLAIN_UDP_BYTES), 4096)
}

/** As many records as fit; TC where some did not. */
export function writeAnswer(query: Query, answer: Answer, limit: number): Buffer {
  const room = limit - HEADER_BYTES - query.question.length - OPT_BYTES
  const opt = query.edns === undefined ? undefined : writeOpt(query, answer, room)
  const parts: Uint8Array[] = [query.question]
  let length = HEADER_BYTES + query.question.length + (opt?.length ?? 0)
  let count = 0
  for (const { type, ttl, data } of answer.records) {
    if (length + 12 + data.length > limit) break
    const head = Buffer.alloc(12)
    // The owner is the question's name.
    head.writeUInt16BE(0xc000 | HEADER_BYTES, 0)
    head.writeUInt16BE(type, 2)
    head.writeUInt16BE(CLASS_IN, 4)
    head.writeUInt32BE(ttl, 6)
    head.writeUInt16BE(data.length, 10)
    parts.push(head, data)
    length += 12 + data.length
    count++
  }
  if (opt !== undefined) parts.push(opt)
  const header = Buffer.alloc(HEADER_BYTES)
  const truncated = count < answer.records.length ? FLAG.TC : 0
  const kept = query.flags & (FLAG.RD | FLAG.CD)
  header.writeUInt16BE(query.id, 0)
  header.writeUInt16BE(FLAG.QR | FLAG.RA | kept | truncated | (answer.rcode & 0xf), 2)
  header.writeUInt16BE(1, 4)
  header.writeUInt16BE(count, 6)
  header.writeUInt16BE(opt === undefined ? 0 : 1, 10)
  return Buffer.concat([header, ...parts])
}

/** To a packet of which only the header could be read. */
export function writeRefusal({ id, rcode }: { readonly id: number; readonly rcode: number }): Buffer {
  const header = Buffer.alloc(HEADER_BYTES)
  header.writeUInt16BE(id, 0)
  header.writeUInt16BE(FLAG.QR | FLAG.RA | rcode, 2)
  return header
}

/** What another server is asked: the client's question, nothing else of its packet. */
export function writeQuestion(query: Query, id: number): Buffer {
  const header = Buffer.alloc(HEADER_BYTES)
  header.writeUInt16BE(id, 0)
  header.writeUInt16BE(query.flags & (FLAG.RD | FLAG.AD | FLAG.CD), 2)
  header.writeUInt16BE(1, 4)
  header.writeUInt16BE(query.edns === undefined ? 0 : 1, 10)
  const opt = query.edns === undefined ? [] : [writeOpt(query, { rcode: RCODE.NOERROR, records: [] })]
  return Buffer.concat([header, query.question, ...opt])
}

function writeOpt(query: Query, { rcode, error }: Answer, room = 0): Buffer {
  const option = error === undefined ? Buffer.alloc(0) : writeError(error, room)
  const opt = Buffer.alloc(OPT_BYTES)
  opt.writeUInt16BE(TYPE.OPT, 1)
  opt.writeUInt16BE(OUR_UDP_BYTES, 3)
  opt[5] = rcode >> 4
  opt[7] = query.edns?.dnssecOk ? 0x80 : 0
  opt.writeUInt16BE(option.length, 9)
  return Buffer.concat([opt, option])
}

/** As much of the text as there is room for; the reason never costs a record. */
function writeError({ code, text }: ExtendedError, room: number): Buffer {
  if (room < ERROR_BYTES) return Buffer.alloc(0)
  const bytes = Buffer.from(text).subarray(0, Math.min(LONGEST_TEXT, room - ERROR_BYTES))
  const head = Buffer.alloc(ERROR_BYTES)
  head.writeUInt16BE(EDE_OPTION, 0)
  head.writeUInt16BE(2 + bytes.length, 2)
  head.writeUInt16BE(code, 4)
  return Buffer.concat([head, bytes])
}

/** Another server's answer, kept: its id and question are the next client's. */
export type Kept = { readonly packet: Buffer; readonly records: readonly Span[] }

/**
 * What a client gets of it: with its own id and its own spelling of the question, TTLs less the seconds that it was kept,
 * cut where it is too long, and with a reason where there is one.
 */
export function passOn(
  query: Query,
  { packet, records }: Kept,
  options: { readonly age: number; readonly limit: number; readonly error: ExtendedError | undefined },
): Buffer {
  const copy = Buffer.from(packet)
  copy.writeUInt16BE(query.id, 0)
  query.question.copy(copy, HEADER_BYTES)
  for (const { type, ttlAt } of records)
    if (type !== TYPE.OPT) copy.writeUInt32BE(Math.max(0, copy.readUInt32BE(ttlAt) - options.age), ttlAt)
  const explained =
    options.error === undefined ? copy : explain(copy, query, { records, error: options.error, limit: options.limit })
  return explained.length <= options.limit ? explained : cut(copy, records, query, options.limit)
}

function explain(
  packet: Buffer,
  query: Query,
  {
    records,
    error,
    limit,
  }: { readonly records: readonly Span[]; readonly error: ExtendedError; readonly limit: number },
): Buffer {
  if (query.edns === undefined) return packet
  const last = records.at(-1)
  if (last?.type === TYPE.OPT && last.end === packet.length) {
    const option = writeError(error, limit - packet.length)
    packet.writeUInt16BE(last.end - last.data + option.length, last.data - 2)
    return Buffer.concat([packet, option])
  }
  const room = limit - packet.length - OPT_BYTES
  if (room < ERROR_BYTES || records.some(({ type }) => type === TYPE.OPT)) return packet
  packet.writeUInt16BE(packet.readUInt16BE(10) + 1, 10)
  return Buffer.concat([packet, writeOpt(query, { rcode: RCODE.NOERROR, records: [], error }, room)])
}

/** Whole answers from the front, nothing of the other sections, and TC. */
function cut(packet: Buffer, records: readonly Span[], query: Query, limit: number): Buffer {
  const opt = query.edns === undefined ? Buffer.alloc(0) : writeOpt(query, { rcode: RCODE.NOERROR, records: [] })
  let end = HEADER_BYTES + query.question.length
  let count = 0
  for (const record of records) {
    if (record.section !== 0 || record.end + opt.length > limit) break
    end = record.end
    count++
  }
  const head = Buffer.from(packet.subarray(0, end))
  head.writeUInt16BE(head.readUInt16BE(2) | FLAG.TC, 2)
  head.writeUInt16BE(count, 6)
  head.writeUInt16BE(0, 8)
  head.writeUInt16BE(opt.length === 0 ? 0 : 1, 10)
  return Buffer.concat([head, opt])
}
