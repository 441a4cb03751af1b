import { expect, test } from "bun:test"
import { parseSpan } from "./span.ts"

test("parseSpan() takes weeks and days before a duration", () => {
  expect(parseSpan("14d")).toBe(14 * 86_400_000)
  expect(parseSpan("2w")).toBe(14 * 86_400_000)
  expect(parseSpan("1w1d12h30m")).toBe(8 * 86_400_000 + 12.5 * 3_600_000)
  expect(parseSpan("90s")).toBe(90_000)
  expect(parseSpan("0")).toBe(0)
})

test("parseSpan() refuses what is no span", () => {
  for (const text of ["", "d", "14", "-3h", "1d2w", "2 d", "3y", "99999999d"])
    expect(() => parseSpan(text)).toThrow("invalid time span")
})
