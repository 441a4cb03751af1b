import { expect, test } from "bun:test"
import { mapChunks } from "./chunks.ts"

const TAR = 2 ** 40

test("a file that lies in one piece is one chunk of the tar", () => {
  const map = mapChunks({ size: 100_000, extents: [{ offset: 0, length: 100_000, tar: 1536 }] }, 0, TAR)
  expect(map).toEqual({ bits: 17, chunks: [{ at: "tar", block: 3 }], copies: [], copied: 0 })
})

test("stretches on blocks are chunks of the tar, the rest holes", () => {
  const extents = [
    { offset: 4096, length: 4096, tar: 512 },
    { offset: 16_384, length: 100, tar: 4608 },
  ]
  const { bits, chunks, copies } = mapChunks({ size: 16_484, extents }, 0, TAR)
  expect([bits, copies]).toEqual([12, []])
  expect(chunks).toEqual([
    { at: "hole" },
    { at: "tar", block: 1 },
    { at: "hole" },
    { at: "hole" },
    { at: "tar", block: 9 },
  ])
})

test("what does not lie on the tar's blocks is copied", () => {
  const extents = [
    { offset: 0, length: 10, tar: 512 },
    { offset: 512, length: 512, tar: 522 },
  ]
  const { chunks, copies, copied } = mapChunks({ size: 1024, extents }, 4096, TAR)
  expect(chunks).toEqual([
    { at: "copy", offset: 4096 },
    { at: "copy", offset: 4608 },
  ])
  expect(copies).toEqual([
    { tar: 512, length: 10, to: 4096 },
    { tar: 522, length: 512, to: 4608 },
  ])
  expect(copied).toBe(1024)
})

test("the last block of a tar that ends inside it is copied", () => {
  const extents = [{ offset: 0, length: 600, tar: 512 }]
  expect(mapChunks({ size: 600, extents }, 0, 1112).copies).toEqual([{ tar: 512, length: 600, to: 0 }])
  expect(mapChunks({ size: 600, extents }, 0, 1536).copies).toEqual([])
})

test("a little data in a vast file makes few chunks", () => {
  for (const size of [2 ** 40, 2 ** 50, Number.MAX_SAFE_INTEGER]) {
    const { chunks } = mapChunks({ size, extents: [{ offset: 512, length: 512, tar: 512 }] }, 0, TAR)
    expect(chunks.length).toBeLessThan(10_000)
  }
})

test("many stretches are mapped", () => {
  const count = 300_000
  const extents = Array.from({ length: count }, (_, n) => ({ offset: n * 1024, length: 1, tar: 512 + n }))
  const { copies, chunks } = mapChunks({ size: count * 1024, extents }, 0, TAR)
  expect(copies.length).toBe(count)
  expect(chunks.length).toBeLessThan(10_000)
})
