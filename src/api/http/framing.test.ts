import { describe, expect, test } from "bun:test"
import { bodyDecoder } from "./framing.ts"

function decode(text: string, size = text.length): { body: string; used: number; done: boolean } {
  const decoder = bodyDecoder("chunked")
  const bytes = Buffer.from(text, "latin1")
  let body = ""
  let used = 0
  for (let at = 0; at < bytes.length && !decoder.done; at += size)
    used += decoder.decode(bytes.subarray(at, at + size), (part) => {
      body += Buffer.from(part).toString("latin1")
    })
  return { body, used, done: decoder.done }
}

describe("a chunked body", () => {
  const text = "5\r\nhello\r\n00a;x=y\r\n, chunked!\r\n0\r\nTrailer: a\r\n\r\n"
  test.each([1, 2, 3, 7, 100])("is read in pieces of %d bytes", (size) => {
    expect(decode(text, size)).toEqual({ body: "hello, chunked!", used: text.length, done: true })
  })
  test("leaves what lies behind it", () => {
    expect(decode(`${text}GET /`).used).toBe(text.length)
  })
  test.each([
    "5\nhello",
    "x\r\n",
    "-1\r\n",
    "\r\n",
    "5\r\nhelloX\r\n",
    "5 5\r\n",
    "1000000000000\r\n",
    `5;${"x".repeat(5000)}`,
  ])("is refused when malformed: %j", (bad) => {
    expect(() => decode(bad)).toThrow(expect.objectContaining({ status: 400 }))
  })
  test("is refused with an endless trailer", () => {
    expect(() => decode(`0\r\n${"a: b\r\n".repeat(20_000)}`)).toThrow(expect.objectContaining({ status: 431 }))
  })
})

test("a body of known length takes its bytes and no more", () => {
  const decoder = bodyDecoder(3)
  const parts: string[] = []
  expect(decoder.decode(Buffer.from("abcdef"), (part) => parts.push(Buffer.from(part).toString()))).toBe(3)
  expect({ parts, done: decoder.done }).toEqual({ parts: ["abc"], done: true })
})
