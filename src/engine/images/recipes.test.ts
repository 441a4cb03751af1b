import { expect, test } from "bun:test"
import { constants, deflateRawSync, gzipSync, zstdCompressSync } from "node:zlib"
import { compress } from "../../lib/compression.ts"
import { gzipMember } from "../../lib/gzip-members.ts"
import { findRecipe, Sample } from "./recipes.ts"

const plain = Buffer.from(Array.from({ length: 120_000 }, (_, at) => `line ${(at * 7919) % 104_729}\n`).join(""))
const { signal } = new AbortController()

async function* bytes(): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < plain.length; at += 1 << 20) yield plain.subarray(at, at + (1 << 20))
}

function find(compressed: Uint8Array) {
  const sample = new Sample()
  for (let at = 0; at < 10_000; at += 1000) sample.add(compressed.subarray(at, at + 1000))
  expect(sample.bytes.length).toBe(Math.min(4096, compressed.length))
  return findRecipe(sample.bytes, bytes, { signal })
}

test("findRecipe() finds a way to what a stream of gzip began with", async () => {
  for (const level of [1, 2, 6, 9]) {
    const compressed = Buffer.concat(await Array.fromAsync(compress("gzip", bytes(), { level })))
    const found = await find(compressed)
    expect(found).toMatchObject({ kind: "gzip", level })
  }
})

test("findRecipe() keeps a header with a name and a time in it", async () => {
  const named = Buffer.from("1f8b08081234567800036c617965722e74617200", "hex")
  const compressed = Buffer.concat([named, deflateRawSync(plain, { level: 6 })])
  expect(await find(compressed)).toEqual({ kind: "gzip", level: 6, header: named.toString("hex") })
})

test("findRecipe() knows members, and zstd", async () => {
  expect(await find(gzipMember(plain.subarray(0, 1 << 20), 2))).toEqual({ kind: "gzip", level: 2, members: true })
  // Without its length in the header, as a stream has it.
  const params = { [constants.ZSTD_c_checksumFlag]: 1, [constants.ZSTD_c_contentSizeFlag]: 0 }
  const stream = zstdCompressSync(plain, { params: { ...params, [constants.ZSTD_c_compressionLevel]: 9 } })
  expect(await find(stream)).toMatchObject({ kind: "zstd" })
})

test("findRecipe() gives nothing for what others made, for what is cut off, and for no compression at all", async () => {
  expect(await find(gzipSync(plain, { memLevel: 2 }))).toBeUndefined()
  expect(await find(Buffer.from("1f8b08", "hex"))).toBeUndefined()
  expect(await find(Buffer.from("1f8b0808ffffffff0003", "hex"))).toBeUndefined()
  expect(await find(plain)).toBeUndefined()
  expect(await find(Buffer.alloc(0))).toBeUndefined()
})
