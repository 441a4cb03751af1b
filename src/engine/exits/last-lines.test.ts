import { expect, test } from "bun:test"
import { Lines } from "./last-lines.ts"

function linesOf(...chunks: readonly (readonly [1 | 2, string])[]) {
  const lines = new Lines()
  for (const [stream, text] of chunks) lines.write(stream, Buffer.from(text))
  lines.end()
  return lines.take().map(({ Stream, Text }) => `${Stream}: ${Text}`)
}

test("Lines keeps both streams in the order in which their lines ended", () => {
  expect(linesOf([1, "a\nb"], [2, "x\n"], [1, "c\n"], [2, "rest"])).toEqual([
    "stdout: a",
    "stderr: x",
    "stdout: bc",
    "stderr: rest",
  ])
})

test("Lines keeps the last twenty, and cuts long ones between characters", () => {
  const many = linesOf([1, Array.from({ length: 90 }, (_, i) => `${i}\n`).join("")])
  expect([many.length, many[0], many.at(-1)]).toEqual([20, "stdout: 70", "stdout: 89"])
  const [long = ""] = linesOf([1, "ä".repeat(5000)])
  expect(long).toBe(`stdout: ${"ä".repeat(400)}…`)
})

test("Lines takes a line without an end for what it is: it holds little and asks for no more", () => {
  const lines = new Lines()
  const chunk = Buffer.alloc(256 * 1024, 120)
  for (let i = 0; i < 5; i++) lines.write(1, chunk)
  expect(lines.signal.aborted).toBe(true)
  lines.end()
  expect(lines.take()[0]?.Text.length).toBe(401)
})
