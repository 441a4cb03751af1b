import { expect, test } from "bun:test"
import { formatMilliseconds, ratio, summarize } from "./stats.ts"

test("summarize() gives the middle of an odd number, and the mean of the two middles of an even one", () => {
  expect(summarize([3, 1, 2])).toEqual({ median: 2, minimum: 1, maximum: 3, count: 3 })
  expect(summarize([4, 1, 2, 3]).median).toBe(2.5)
})

test("formatMilliseconds() and ratio() keep two or three digits", () => {
  expect([8.42, 312.4, 2710].map(formatMilliseconds)).toEqual(["8.4 ms", "312 ms", "2.71 s"])
  expect([ratio(32, 10), ratio(150, 10)]).toEqual(["3.2 ×", "15 ×"])
})
