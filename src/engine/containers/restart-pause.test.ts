import { expect, test } from "bun:test"
import { nextPause } from "./restart-pause.ts"

test("nextPause() doubles from 100 ms to a minute, and begins anew after a run of ten seconds", () => {
  const pauses = [nextPause(0, 5)]
  for (let count = 0; count < 12; count++) pauses.push(nextPause(pauses.at(-1) ?? 0, 9999))
  expect(pauses).toEqual([100, 200, 400, 800, 1600, 3200, 6400, 12_800, 25_600, 51_200, 60_000, 60_000, 60_000])
  expect(nextPause(60_000, 10_000)).toBe(100)
})
