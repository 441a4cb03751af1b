import { expect, test } from "bun:test"
import { isOutside, parseNumberSet } from "./cpuset.ts"

test("parseNumberSet() reads numbers and ranges", () => {
  expect([...parseNumberSet("0-2,7,7")]).toEqual([0, 1, 2, 7])
})

test.each([
  ["", "invalid format: "],
  ["1,", "invalid format: 1,"],
  ["3-1", "invalid format: 3-1"],
  ["-1", "invalid format: -1"],
  ["0-8193", "value of out range, maximum is 8192"],
])("parseNumberSet() refuses %p", (text, message) => {
  expect(() => parseNumberSet(text)).toThrow(message)
})

test("isOutside() compares with what there is, where that is known", () => {
  expect(isOutside("0-1", "0-3")).toBe(false)
  expect(isOutside("3-4", "0-3")).toBe(true)
  expect(isOutside("77", "")).toBe(false)
})
