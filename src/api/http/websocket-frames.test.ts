import { describe, expect, test } from "bun:test"
import { FrameError, FrameReader, frameHead } from "./websocket-frames.ts"

const MASK = [1, 2, 3, 4]

/** A masked frame, as clients send them. */
function frame(first: number, payload: string, claimed = payload.length): Uint8Array {
  const bytes = Buffer.from(payload, "latin1").map((byte, index) => byte ^ (MASK[index % 4] ?? 0))
  const length =
    claimed < 126 ? [0x80 | claimed] : claimed < 65_536 ? [0xfe, claimed >> 8, claimed & 255] : [0xff, ...wide(claimed)]
  return Buffer.concat([Uint8Array.from([first, ...length, ...MASK]), bytes])
}

function wide(length: number): number[] {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64BE(BigInt(length))
  return [...bytes]
}

function reader(): { data: string; controls: [number, string][]; read(bytes: Uint8Array): boolean } {
  const seen = { data: "", controls: [] as [number, string][], read: (_: Uint8Array): boolean => true }
  const frames = new FrameReader({
    data(payload) {
      seen.data += Buffer.from(payload).toString("latin1")
      return true
    },
    control: (opcode, payload) => seen.controls.push([opcode, Buffer.from(payload).toString("latin1")]),
  })
  seen.read = (bytes) => frames.read(bytes)
  return seen
}

const code = (bytes: Uint8Array): number => {
  try {
    reader().read(bytes)
  } catch (error) {
    if (error instanceof FrameError) return error.code
    throw error
  }
  return 0
}

describe("FrameReader", () => {
  test("unmasks frames of every length form, however they are cut", () => {
    const texts = ["", "short", "x".repeat(126), "y".repeat(70_000)]
    const bytes = Buffer.concat(texts.map((text) => frame(0x82, text)))
    for (const step of [1, 3, 1000, bytes.length]) {
      const seen = reader()
      for (let at = 0; at < bytes.length; at += step) seen.read(bytes.subarray(at, at + step))
      expect(seen.data).toBe(texts.join(""))
    }
  })

  test("joins the fragments of a message, with control frames between them", () => {
    const seen = reader()
    for (const bytes of [frame(0x01, "one"), frame(0x89, "ping"), frame(0x00, "two"), frame(0x80, "three")])
      seen.read(bytes)
    expect(seen.data).toBe("onetwothree")
    expect(seen.controls).toEqual([[9, "ping"]])
  })

  test("passes a payload on as it comes, whatever length is claimed for it", () => {
    const seen = reader()
    seen.read(frame(0x82, "begin", 2 ** 50))
    expect(seen.data).toBe("begin")
  })

  test("refuses what the protocol does not allow", () => {
    expect(code(Uint8Array.of(0x82, 0x01, 0x41))).toBe(1002)
    expect(code(frame(0xc2, "x"))).toBe(1002)
    expect(code(frame(0x83, "x"))).toBe(1002)
    expect(code(frame(0x8b, "x"))).toBe(1002)
    expect(code(frame(0x09, "x"))).toBe(1002)
    expect(code(frame(0x80, "x"))).toBe(1002)
    expect(code(Buffer.concat([frame(0x01, "x"), frame(0x82, "y")]))).toBe(1002)
    expect(code(frame(0x89, "x".repeat(126)))).toBe(1002)
    expect(code(frame(0x82, "", 2 ** 60))).toBe(1009)
  })

  test("survives any bytes", () => {
    for (let seed = 1; seed <= 300; seed++) {
      let state = seed
      const bytes = Uint8Array.from({ length: 200 }, () => {
        state = (state * 48_271) % 0x7fffffff
        return state & 255
      })
      expect([0, 1002, 1009]).toContain(code(bytes))
    }
  })
})

test("frameHead() has the shortest form that holds the length", () => {
  expect([...frameHead(2, 5)]).toEqual([0x82, 5])
  expect([...frameHead(1, 126)]).toEqual([0x81, 126, 0, 126])
  expect([...frameHead(2, 65_536)]).toEqual([0x82, 127, 0, 0, 0, 0, 0, 1, 0, 0])
})
