import { expect, test } from "bun:test"
import { constants, gzipSync, zstdCompressSync } from "node:zlib"
import { compress, decompress } from "./compression.ts"
import { isKind } from "./errors.ts"

const TEXT = Buffer.from(Array.from({ length: 50_000 }, (_, n) => `${n} ${(n * 7919) % 104729}\n`).join(""))

async function* slices(bytes: Uint8Array, size = 4096): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

async function collect(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = []
  for await (const chunk of source) parts.push(Buffer.from(chunk))
  return Buffer.concat(parts)
}

function run(program: string): Uint8Array {
  return Bun.spawnSync([program, "-c"], { stdin: TEXT }).stdout
}

const half = TEXT.length / 2
const SAMPLES = {
  none: () => TEXT,
  gzip: () => gzipSync(TEXT),
  zstd: () => zstdCompressSync(TEXT, { params: { [constants.ZSTD_c_checksumFlag]: 1 } }),
  xz: () => run("xz"),
  bzip2: () => run("bzip2"),
} as const

for (const [name, make] of Object.entries(SAMPLES)) {
  const missing = (name === "xz" || name === "bzip2") && Bun.which(name) === null
  test.skipIf(missing)(`decompress() finds ${name} by its first bytes and gives the plain bytes`, async () => {
    for (const size of [1000, 1 << 20]) {
      const { compression, bytes } = await decompress(slices(make(), size))
      expect(compression).toBe(name as typeof compression)
      expect((await collect(bytes)).equals(TEXT)).toBe(true)
    }
  })

  if (name === "none") continue
  test.skipIf(missing)(`decompress() refuses ${name} that is cut off or damaged`, async () => {
    const whole = make()
    const damaged = Buffer.from(whole)
    damaged.fill(0x55, whole.length >> 1, (whole.length >> 1) + 64)
    for (const bad of [whole.subarray(0, whole.length - 3), whole.subarray(0, whole.length >> 1), damaged]) {
      const error = await decompress(slices(bad))
        .then(({ bytes }) => collect(bytes))
        .catch((error: unknown) => error)
      expect(isKind(error, "invalid")).toBe(true)
    }
  })
}

test("decompress() reads streams of several members or frames to their end", async () => {
  const parts = [TEXT.subarray(0, half), TEXT.subarray(half)]
  const skippable = Buffer.from("502a4d1803000000616263", "hex")
  const streams = [
    Buffer.concat(parts.map((part) => gzipSync(part))),
    Buffer.concat([zstdCompressSync(parts[0]!), skippable, zstdCompressSync(parts[1]!)]),
  ]
  for (const stream of streams) {
    const { bytes } = await decompress(slices(stream))
    expect((await collect(bytes)).equals(TEXT)).toBe(true)
  }
})

test("decompress() of an empty source is empty", async () => {
  const { compression, bytes } = await decompress(slices(Buffer.alloc(0)))
  expect([compression, (await collect(bytes)).length]).toEqual(["none", 0])
})

test("decompress() passes the source's own error on, and tells the source when the reader stops", async () => {
  let closed = 0
  async function* source(fail: boolean): AsyncGenerator<Uint8Array> {
    try {
      yield* slices(SAMPLES.gzip().subarray(0, 60_000))
      if (fail) throw new Error("the line went dead")
      for (;;) yield* slices(SAMPLES.gzip())
    } finally {
      closed++
    }
  }
  const failed = await decompress(source(true))
    .then(({ bytes }) => collect(bytes))
    .catch((error: unknown) => error)
  expect(String(failed)).toContain("the line went dead")
  const { bytes } = await decompress(source(false))
  for await (const _ of bytes) break
  for (let turn = 0; turn < 100 && closed < 2; turn++) await new Promise((resolve) => setImmediate(resolve))
  expect(closed).toBe(2)
})

test("compress() gives what decompress() takes, the same bytes each time", async () => {
  for (const name of ["gzip", "zstd"] as const) {
    const once = await collect(compress(name, slices(TEXT)))
    expect(once.equals(await collect(compress(name, slices(TEXT))))).toBe(true)
    const { compression, bytes } = await decompress(slices(once))
    expect(compression).toBe(name)
    expect((await collect(bytes)).equals(TEXT)).toBe(true)
  }
})
