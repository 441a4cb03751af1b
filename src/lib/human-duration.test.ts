import { expect, test } from "bun:test"
import { humanDuration } from "./human-duration.ts"

test.each([
  [0.3, "Less than a second"],
  [1, "1 second"],
  [59, "59 seconds"],
  [60, "About a minute"],
  [150, "2 minutes"],
  [3600, "About an hour"],
  [47 * 3600, "47 hours"],
  [3 * 86400, "3 days"],
  [20 * 86400, "2 weeks"],
  [90 * 86400, "3 months"],
  [800 * 86400, "2 years"],
])("humanDuration(%p) is %p", (seconds, expected) => {
  expect(humanDuration(seconds)).toBe(expected)
})
