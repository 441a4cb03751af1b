import { expect, test } from "bun:test"
import { gunzipSync } from "node:zlib"
import { decompressAs } from "./compression.ts"
import { gzipMember, MEMBER_SIZE } from "./gzip-members.ts"

test("members in a row are one gzip stream, the same every time", async () => {
  const plain = new Uint8Array(MEMBER_SIZE + 4321).map((_, at) => (at * at) >> 7)
  const members = [plain.subarray(0, MEMBER_SIZE), plain.subarray(MEMBER_SIZE)].map((part) => gzipMember(part, 2))
  const stream = Buffer.concat(members)
  expect(Buffer.compare(gunzipSync(stream), plain)).toBe(0)
  // In pieces that end anywhere, as they come from a network.
  async function* pieces() {
    for (let at = 0; at < stream.length; at += 777) yield stream.subarray(at, at + 777)
  }
  expect(Buffer.compare(Buffer.concat(await Array.fromAsync(decompressAs("gzip", pieces()))), plain)).toBe(0)
  expect(gzipMember(plain.subarray(0, 1000), 2)).toEqual(gzipMember(plain.slice(0, 1000), 2))
  expect(gunzipSync(gzipMember(new Uint8Array(0), 2))).toHaveLength(0)
})
