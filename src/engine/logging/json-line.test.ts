import { expect, test } from "bun:test"
import { JsonLines, shortTime } from "./json-line.ts"

const TIME = "2026-01-31T09:05:00.120000000Z"

function encode(line: Uint8Array | string, { attributes = "", newline = true, stream = 1 as 1 | 2 } = {}): string {
  const lines = new JsonLines(attributes)
  lines.add(stream, Buffer.from(line as string), { time: TIME, newline })
  return lines.drain().toString("latin1")
}

test("a line is Docker's to the byte: order of fields, escapes, time", () => {
  expect(encode('a "b" \\ <c> & d\r\t\u0001')).toBe(
    '{"log":"a \\"b\\" \\\\ \\u003cc\\u003e \\u0026 d\\r\\u0009\\u0001\\n","stream":"stdout","time":"2026-01-31T09:05:00.12Z"}\n',
  )
  expect(encode("x", { attributes: '{"a":"b"}', newline: false, stream: 2 })).toBe(
    '{"log":"x","stream":"stderr","attrs":{"a":"b"},"time":"2026-01-31T09:05:00.12Z"}\n',
  )
  expect(encode("", { newline: false })).toBe('{"stream":"stdout","time":"2026-01-31T09:05:00.12Z"}\n')
})

test("what is no UTF-8 becomes U+FFFD byte by byte, separators of lines are escaped", () => {
  const bytes = (...values: number[]): string => encode(Uint8Array.from(values)).slice(8, -1).split('\\n"')[0]!
  expect(bytes(0xff, 0x61, 0xc3)).toBe("\\ufffda\\ufffd")
  // Overlong, a surrogate, beyond the last letter, cut short.
  expect(bytes(0xc0, 0x80)).toBe("\\ufffd\\ufffd")
  expect(bytes(0xed, 0xa0, 0x80)).toBe("\\ufffd\\ufffd\\ufffd")
  expect(bytes(0xf4, 0x90, 0x80, 0x80)).toBe("\\ufffd\\ufffd\\ufffd\\ufffd")
  expect(bytes(0xe2, 0x82)).toBe("\\ufffd\\ufffd")
  expect(bytes(...Buffer.from("\u2028\u2029"))).toBe("\\u2028\\u2029")
  expect(Buffer.from(bytes(...Buffer.from("é€😀\ufffd")), "latin1").toString()).toBe("é€😀\ufffd")
})

test("a line longer than the buffer makes it grow", () => {
  expect(encode("<".repeat(200_000)).length).toBe(
    200_000 * 6 + '{"log":"\\n","stream":"stdout","time":""}\n'.length + 23,
  )
})

test("shortTime() drops the zeros at the end", () => {
  expect(shortTime("2026-01-31T09:05:00.000000000Z")).toBe("2026-01-31T09:05:00Z")
  expect(shortTime("2026-01-31T09:05:10.100000010Z")).toBe("2026-01-31T09:05:10.10000001Z")
})
