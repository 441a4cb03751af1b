import { expect, test } from "bun:test"
import { passOn, sizeLimit, writeAnswer, writeQuestion } from "./compose.ts"
import { type Query, RCODE, readName, readQuery, readResponse, TYPE, writeName } from "./packet.ts"

const OPT = [0, 0, 41, 4, 0xd0, 0, 0, 0, 0, 0, 0]

function question(name: string, { type = TYPE.A, opt = true }: { type?: number; opt?: boolean } = {}): Buffer {
  const head = Buffer.from([0xab, 0xcd, 1, 0, 0, 1, 0, 0, 0, 0, 0, opt ? 1 : 0])
  return Buffer.concat([head, writeName(name)!, Buffer.of(0, type, 0, 1), Buffer.from(opt ? OPT : [])])
}

function parsed(name: string, options: { type?: number; opt?: boolean } = {}): Query {
  const query = readQuery(question(name, options))
  if (query === undefined || "rcode" in query) throw new Error("not read")
  return query
}

const a = (...address: number[]) => ({ type: TYPE.A, ttl: 600, data: Uint8Array.from(address) })

test("readQuery() reads name, type and EDNS; letters compare without their case, and are kept in it", () => {
  const query = parsed("Db.App")
  expect(query).toMatchObject({ id: 0xabcd, type: 1, class: 1, edns: { size: 1232, version: 0, dnssecOk: false } })
  expect(query.name.text).toBe("Db.App")
  expect(query.name.key).toBe(parsed("dB.aPP").name.key)
  expect(query.question.toString("latin1", 1, 3)).toBe("Db")
  expect(parsed("db", { opt: false }).edns).toBeUndefined()
})

test("readQuery() does not answer answers and fragments, and says what it cannot read", () => {
  expect(readQuery(question("db").subarray(0, 11))).toBeUndefined()
  const answer = question("db")
  answer[2] = 0x81
  expect(readQuery(answer)).toBeUndefined()
  const update = question("db")
  update[2] = 0x28
  expect(readQuery(update)).toEqual({ id: 0xabcd, rcode: RCODE.NOTIMP })
  const two = question("db")
  two[5] = 2
  expect(readQuery(two)).toEqual({ id: 0xabcd, rcode: RCODE.FORMERR })
  for (const cut of [13, 15, 18]) expect(readQuery(question("db").subarray(0, cut))).toEqual({ id: 0xabcd, rcode: 1 })
  const counts = question("db")
  counts.fill(0xff, 6, 12)
  expect(readQuery(counts)).toEqual({ id: 0xabcd, rcode: RCODE.FORMERR })
})

test("readName() follows pointers backwards only, and takes no name that is longer than one may be", () => {
  const packet = Buffer.concat([Buffer.alloc(12), writeName("db.app")!, Buffer.of(3, 119, 119, 119, 0xc0, 12)])
  expect(readName(packet, 20)).toMatchObject({ text: "www.db.app", end: 26 })
  const itself = Buffer.concat([Buffer.alloc(12), Buffer.of(0xc0, 12)])
  expect(readName(itself, 12)).toBeUndefined()
  const circle = Buffer.concat([Buffer.alloc(12), Buffer.of(1, 97, 0xc0, 16, 1, 98, 0xc0, 12)])
  expect(readName(circle, 12)).toBeUndefined()
  expect(readName(circle, 16)).toBeUndefined()
  const forwards = Buffer.concat([Buffer.alloc(12), Buffer.of(0xc0, 14, 1, 97, 0)])
  expect(readName(forwards, 12)).toBeUndefined()
  const label = Buffer.concat([Buffer.of(63), Buffer.alloc(63, 97)])
  const long = Buffer.concat([Buffer.alloc(12), label, label, label, label, Buffer.of(0)])
  expect(readName(long, 12)).toBeUndefined()
  expect(readName(Buffer.concat([Buffer.alloc(12), Buffer.of(0x40, 0)]), 12)).toBeUndefined()
  expect(readName(Buffer.concat([Buffer.alloc(12), Buffer.of(4, 97, 46, 92, 7, 0)]), 12)?.text).toBe("a\\.\\\\\\007")
})

test("writeAnswer() fits the client's size, says why, and leaves out EDNS where the client has none", () => {
  const answer = { rcode: RCODE.NOERROR, records: Array.from({ length: 60 }, (_, index) => a(10, 0, 0, index)) }
  const small = writeAnswer(parsed("db", { opt: false }), answer, 512)
  expect(small.length).toBeLessThanOrEqual(512)
  expect(small.readUInt16BE(2) & 0x200).toBe(0x200)
  expect(readResponse(small, { id: 0xabcd, query: parsed("db") })?.records.length).toBe(30)
  const failed = { rcode: RCODE.NXDOMAIN, records: [], error: { code: 0, text: "nobody" } }
  expect(writeAnswer(parsed("db"), failed, 1232).toString("latin1")).toEndWith("\0\x0f\0\x08\0\0nobody")
  expect(writeAnswer(parsed("db", { opt: false }), failed, 512).toString("latin1")).not.toContain("nobody")
  const wordy = { rcode: 0, records: [a(1, 2, 3, 4)], error: { code: 0, text: "x".repeat(900) } }
  const fitted = writeAnswer(parsed("db"), wordy, 512)
  expect([fitted.length <= 512, fitted.readUInt16BE(2) & 0x200, fitted.readUInt16BE(6)]).toEqual([true, 0, 1])
  expect(sizeLimit(parsed("db"), "udp")).toBe(1232)
  expect(sizeLimit(parsed("db", { opt: false }), "udp")).toBe(512)
})

test("readResponse() takes an answer to the question alone", () => {
  const query = parsed("db.example")
  const packet = writeAnswer(query, { rcode: 0, records: [a(1, 2, 3, 4)] }, 1232)
  expect(readResponse(packet, { id: 0xabcd, query })?.records).toHaveLength(2)
  expect(readResponse(packet, { id: 1, query })).toBeUndefined()
  expect(readResponse(packet, { id: 0xabcd, query: parsed("other.example") })).toBeUndefined()
  expect(readResponse(packet, { id: 0xabcd, query: parsed("db.example", { type: TYPE.AAAA }) })).toBeUndefined()
  expect(readResponse(writeQuestion(query, 7), { id: 7, query })).toBeUndefined()
  const cut = packet.subarray(0, packet.length - 12)
  expect(readResponse(cut, { id: 0xabcd, query })).toBeUndefined()
})

test("passOn() gives the next client its own id, its own spelling, TTLs as they are by now, and the reason", () => {
  const first = parsed("db.example")
  const packet = writeAnswer(first, { rcode: 3, records: [a(1, 2, 3, 4)] }, 1232)
  const kept = { packet, records: readResponse(packet, { id: 0xabcd, query: first })!.records }
  const next: Query = { ...parsed("DB.example"), id: 7 }
  const passed = passOn(next, kept, { age: 100, limit: 1232, error: { code: 0, text: "nobody" } })
  expect(passed.readUInt16BE(0)).toBe(7)
  expect(passed.toString("latin1", 13, 15)).toBe("DB")
  const response = readResponse(passed, { id: 7, query: next })
  expect(passed.readUInt32BE(response!.records[0]!.ttlAt)).toBe(500)
  expect(passed.toString("latin1")).toEndWith("nobody")
  const short = passOn(next, kept, { age: 700, limit: 45, error: undefined })
  expect(short.length).toBeLessThanOrEqual(45)
  expect(short.readUInt16BE(2) & 0x200).toBe(0x200)
  expect(packet.readUInt16BE(0)).toBe(0xabcd)
})

test("no packet, however it was damaged, makes the codec throw, read beyond it, or write more than it may", () => {
  let seed = 1
  const random = (below: number): number => {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) & 0x7fffffff
    return seed % below
  }
  const query = parsed("db.example")
  const sound = writeAnswer(query, { rcode: 0, records: [a(1, 2, 3, 4), a(5, 6, 7, 8)] }, 1232)
  for (let round = 0; round < 20_000; round++) {
    const packet = Buffer.from(round % 2 === 0 ? question("www.db.example") : sound)
    for (let hits = random(6); hits >= 0; hits--) packet[random(packet.length)] = random(256)
    const cut = packet.subarray(0, packet.length - random(packet.length))
    const read = readQuery(cut)
    if (read !== undefined && !("rcode" in read)) {
      expect(writeAnswer(read, { rcode: 0, records: [a(1, 2, 3, 4)] }, 512).length).toBeLessThanOrEqual(512)
      expect(read.name.text.length).toBeLessThan(1100)
    }
    const response = cut.length < 2 ? undefined : readResponse(cut, { id: cut.readUInt16BE(0), query })
    if (response === undefined) continue
    for (const record of response.records) expect(record.end).toBeLessThanOrEqual(cut.length)
    const passed = passOn(query, { packet: cut, records: response.records }, { age: 5, limit: 512, error: undefined })
    expect(passed.length).toBeLessThanOrEqual(512)
  }
})
