import { expect, test } from "bun:test"
import { parseTimeLimit } from "./supervision.ts"

test.each([
  ["90", 90],
  ["90s", 90],
  ["1h30m", 5400],
  ["1500ms", 2],
  ["0", 0],
])("parseTimeLimit() of %s", (text, seconds) => {
  expect(parseTimeLimit(text)).toBe(seconds)
})

test.each(["", "-5", "-5s", "soon", "1e9", "999999999999999999999"])("parseTimeLimit() refuses %j", (text) => {
  expect(() => parseTimeLimit(text)).toThrow()
})
