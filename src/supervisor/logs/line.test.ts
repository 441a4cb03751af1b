import { expect, test } from "bun:test"
import { timeText } from "./line.ts"

test("timeText() makes bounds that include the time they were read from, whatever its nanoseconds", () => {
  for (let nanoseconds = 123_455_000; nanoseconds < 123_457_000; nanoseconds += 7) {
    const stamp = `2026-01-02T03:04:05.${nanoseconds}`
    const milliseconds = Date.parse("2026-01-02T03:04:05Z") + nanoseconds / 1e6
    expect(timeText(milliseconds, "000") <= stamp).toBe(true)
    expect(timeText(milliseconds, "999") >= stamp).toBe(true)
  }
})
