import { expect, test } from "bun:test"
import { lazily } from "./lazily.ts"

test("lazily() makes at the first use, and once", async () => {
  let times = 0
  const one = lazily(async () => ++times)
  expect(times).toBe(0)
  expect(await Promise.all([one(), one()])).toEqual([1, 1])
})
