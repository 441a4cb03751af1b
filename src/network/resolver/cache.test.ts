import { expect, test } from "bun:test"
import { Cache, lifetime } from "./cache.ts"
import { type Query, type Response, readQuery, readResponse, writeName } from "./packet.ts"

const query = ((): Query => {
  const read = readQuery(
    Buffer.concat([Buffer.from([0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0]), writeName("x.test")!, Buffer.of(0, 1, 0, 1)]),
  )
  if (read === undefined || "rcode" in read) throw new Error("not read")
  return read
})()

function answer(
  rcode: number,
  records: readonly { section: 0 | 1; type: number; ttl: number; data: readonly number[] }[],
): { packet: Buffer; response: Response } {
  const head = Buffer.from([0, 1, 0x81, 0x80 | rcode, 0, 1, 0, 0, 0, 0, 0, 0])
  head.writeUInt16BE(records.filter(({ section }) => section === 0).length, 6)
  head.writeUInt16BE(records.filter(({ section }) => section === 1).length, 8)
  const parts = records.map(({ type, ttl, data }) => {
    const fixed = Buffer.from([0xc0, 12, 0, type, 0, 1, 0, 0, 0, 0, 0, data.length])
    fixed.writeUInt32BE(ttl, 6)
    return Buffer.concat([fixed, Buffer.from(data)])
  })
  const packet = Buffer.concat([head, query.question, ...parts])
  return { packet, response: readResponse(packet, { id: 1, query })! }
}

const SOA = { section: 1, type: 6, ttl: 900, data: [0, 0, ...Array(16).fill(0), 0, 0, 0, 60] } as const

test("an answer is kept for its smallest TTL, a negative one as its SOA says, others not at all", () => {
  const a = (ttl: number) => ({ section: 0, type: 1, ttl, data: [1, 2, 3, 4] }) as const
  const seconds = ({ packet, response }: ReturnType<typeof answer>): number => lifetime(packet, response)
  expect(seconds(answer(0, [a(300), a(20)]))).toBe(20)
  expect(seconds(answer(0, [a(0xffff_ffff)]))).toBe(0)
  expect(seconds(answer(0, [a(1_000_000)]))).toBe(86_400)
  expect(seconds(answer(3, [SOA]))).toBe(60)
  expect(seconds(answer(0, [SOA]))).toBe(60)
  expect(seconds(answer(3, []))).toBe(0)
  expect(seconds(answer(2, [a(300)]))).toBe(0)
})

test("what is kept ages, ends with its TTL, and gives way to newer answers where there are too many", () => {
  let now = 0
  const cache = new Cache(() => now)
  const { packet, response } = answer(0, [{ section: 0, type: 1, ttl: 10, data: [1, 2, 3, 4] }])
  const fresh = { kept: { packet, records: response.records }, response, server: "s" }
  cache.put("x", fresh)
  now = 9500
  expect(cache.get("x")?.age).toBe(9)
  now = 10_000
  expect(cache.get("x")).toBeUndefined()
  for (let index = 0; index < 10_000; index++) cache.put(`name ${index}`, fresh)
  expect(cache.size).toBeLessThanOrEqual(4096)
  expect(cache.get("name 0")).toBeUndefined()
  expect(cache.get("name 9999")).toBeDefined()
})
