import { expect, test } from "bun:test"
import { parseBool, parseHumanSize, parseInteger, parseRamSize } from "./values.ts"

test("sizes on a disk count in thousands, those in memory in 1024", () => {
  expect(parseHumanSize("10m")).toBe(10_000_000)
  expect(parseHumanSize("1.5kB")).toBe(1500)
  expect(parseRamSize("1.5KiB")).toBe(1536)
  for (const bad of ["", "ten", "-1", "1x", "1.2.3"])
    expect(() => parseHumanSize(bad)).toThrow(`invalid size: '${bad}'`)
})

test("parseBool() and parseInteger() take what Go takes", () => {
  expect(["1", "T", "True", "0", "f"].map(parseBool)).toEqual([true, true, true, false, false])
  expect(() => parseBool("yes")).toThrow('strconv.ParseBool: parsing "yes": invalid syntax')
  expect(parseInteger("+7")).toBe(7)
  expect(() => parseInteger("1.5")).toThrow('strconv.Atoi: parsing "1.5": invalid syntax')
})
