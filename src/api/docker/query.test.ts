import { describe, expect, test } from "bun:test"
import { parseFilters, Query } from "./query.ts"

test.each([
  ["", false],
  ["a", false],
  ["a=", false],
  ["a=0", false],
  ["a=False", false],
  ["a=%20no", false],
  ["a=none", false],
  ["a=1", true],
  ["a=true", true],
  ["a=maybe", true],
])("bool() of %j is %p", (text, value) => {
  expect(new Query(text).bool("a")).toBe(value)
})

test("boolOr() takes its default only where the parameter is missing", () => {
  expect(new Query("").boolOr("a", true)).toBe(true)
  expect(new Query("a=").boolOr("a", true)).toBe(false)
})

test("integer() refuses what is no number", () => {
  expect(new Query("t=-1").integer("t")).toBe(-1)
  expect(new Query("").integer("t")).toBeUndefined()
  expect(() => new Query("t=1.5").integer("t")).toThrow('strconv.Atoi: parsing "1.5": invalid syntax')
})

test("uint32() bounds its value", () => {
  expect(new Query("h=4294967295").uint32("h")).toBe(4294967295)
  expect(() => new Query("h=4294967296").uint32("h")).toThrow("value out of range")
  expect(() => new Query("h=-1").uint32("h")).toThrow("value out of range")
  expect(() => new Query("").uint32("h")).toThrow("invalid syntax")
})

test("platform() reads both forms", () => {
  const json = encodeURIComponent('{"os":"linux","architecture":"arm","variant":"v6"}')
  expect(new Query("platform=linux/arm64").platform()).toEqual({ os: "linux", architecture: "arm64" })
  expect(new Query(`platform=${json}`).platform()).toEqual({ os: "linux", architecture: "arm", variant: "v6" })
  expect(new Query("").platform()).toBeUndefined()
  expect(() => new Query("platform={").platform()).toThrow("failed to parse platform")
  expect(() => new Query('platform={"os":"linux"}').platform()).toThrow("both OS and Architecture must be provided")
})

describe("parseFilters()", () => {
  test("reads lists and the older truth tables", () => {
    expect(parseFilters('{"label":["a","b=c"],"status":{"running":true}}')).toEqual(
      new Map([
        ["label", ["a", "b=c"]],
        ["status", ["running"]],
      ]),
    )
    expect(parseFilters("").size).toBe(0)
    expect(parseFilters("null").size).toBe(0)
  })
  test.each(["[", "[]", '"a"', '{"a":"b"}', '{"a":[1]}', '{"a":{"b":1}}'])("refuses %j", (text) => {
    expect(() => parseFilters(text)).toThrow(expect.objectContaining({ kind: "invalid" }))
  })
})
