import { expect, test } from "bun:test"
import { parseContentRange, parseRange } from "./range.ts"

test("parseRange() reads one range, cuts it to what is there, and takes anything else for the whole", () => {
  const cases: readonly (readonly [string | null, ReturnType<typeof parseRange>])[] = [
    ["bytes=0-0", { first: 0, last: 0 }],
    ["bytes=5-", { first: 5, last: 9 }],
    ["bytes=-3", { first: 7, last: 9 }],
    ["bytes=-99", { first: 0, last: 9 }],
    ["bytes=8-99999", { first: 8, last: 9 }],
    ["bytes=10-", "unsatisfiable"],
    ["bytes=-0", "unsatisfiable"],
    ["bytes=5-4", undefined],
    ["bytes=-", undefined],
    ["bytes=a-b", undefined],
    ["bytes=0-1,3-4", undefined],
    ["bytes=9999999999999999999-", undefined],
    [null, undefined],
  ]
  for (const [header, range] of cases) expect([header, parseRange(header, 10)]).toEqual([header, range])
  expect(parseRange("bytes=0-", 0)).toBe("unsatisfiable")
})

test("parseContentRange() takes the specification's form, and what HTTP writes elsewhere", () => {
  expect(parseContentRange("0-99")).toEqual({ first: 0, last: 99 })
  expect(parseContentRange("bytes 5-9/10")).toEqual({ first: 5, last: 9 })
  expect(parseContentRange("bytes 5-9/*")).toEqual({ first: 5, last: 9 })
  expect(parseContentRange("5-")).toBe("invalid")
  expect(parseContentRange("")).toBe("invalid")
  expect(parseContentRange(null)).toBeUndefined()
})
