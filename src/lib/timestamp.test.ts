import { expect, test } from "bun:test"
import { parseDuration, parseTimestamp } from "./timestamp.ts"

test("parseDuration() reads what Go writes", () => {
  expect(parseDuration("1h30m")).toBe(5_400_000)
  expect(parseDuration("-1.5s")).toBe(-1500)
  expect(parseDuration("0")).toBe(0)
  expect(parseDuration("1d")).toBeUndefined()
  expect(parseDuration("")).toBeUndefined()
})

test("parseTimestamp() takes durations back from now, seconds, and dates", () => {
  expect(parseTimestamp("10m", 1_000_000)).toBe(400_000)
  expect(parseTimestamp("1700000000.25")).toBe(1_700_000_000_250)
  expect(parseTimestamp("0")).toBe(0)
  expect(parseTimestamp("2024-02-03T04:05:06Z")).toBe(Date.UTC(2024, 1, 3, 4, 5, 6))
  expect(parseTimestamp("2024-02-03T04:05:06.5+01:00")).toBe(Date.UTC(2024, 1, 3, 3, 5, 6, 500))
  expect(parseTimestamp("2024-02-03T04:05:06.123456789Z")).toBeCloseTo(Date.UTC(2024, 1, 3, 4, 5, 6, 123) + 0.456789, 3)
  expect(parseTimestamp("2024-02-03")).toBe(new Date(2024, 1, 3).getTime())
  expect(parseTimestamp("2024-02-03T04")).toBe(new Date(2024, 1, 3, 4).getTime())
})

test("parseTimestamp() refuses what is no time", () => {
  expect(() => parseTimestamp("yesterday")).toThrow('failed to parse value as time or duration: "yesterday"')
  expect(() => parseTimestamp("2024-13-40")).toThrow("failed to parse")
})
