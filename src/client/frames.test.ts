import { expect, test } from "bun:test"
import { FrameReader } from "./frames.ts"

function frame(stream: number, text: string): Buffer {
  const head = Buffer.alloc(8)
  head[0] = stream
  head.writeUInt32BE(text.length, 4)
  return Buffer.concat([head, Buffer.from(text)])
}

test("FrameReader takes frames apart wherever the bytes are cut", () => {
  const bytes = Buffer.concat([frame(1, "out"), frame(2, "error"), frame(1, ""), frame(1, "more")])
  for (let size = 1; size <= bytes.length; size++) {
    const seen = { 1: "", 2: "" } as Record<number, string>
    const reader = new FrameReader((stream, payload) => {
      seen[stream] += Buffer.from(payload).toString()
    })
    for (let at = 0; at < bytes.length; at += size) reader.push(bytes.subarray(at, at + size))
    expect(seen).toEqual({ 1: "outmore", 2: "error" })
  }
})

test("FrameReader refuses what is no frame", () => {
  expect(() => new FrameReader(() => {}).push(Buffer.from("plain text"))).toThrow("Unrecognized input header")
})
