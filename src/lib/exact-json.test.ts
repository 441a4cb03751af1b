import { expect, test } from "bun:test"
import { fromJson, indentJson, toJson } from "./exact-json.ts"

test("fromJson() and toJson() keep integers that a double cannot hold", () => {
  const text = '{"hard":9223372036854775807,"small":5,"real":1.5,"list":[18446744073709551615]}'
  expect(toJson(fromJson(text))).toBe(text)
})

test("indentJson() changes nothing but white space", () => {
  expect(indentJson('[{"a":9223372036854775807,"b":{},"c":[ ],"d":"x: {,}\\"","e":[1,2.50]}]', "  ")).toBe(
    '[\n  {\n    "a": 9223372036854775807,\n    "b": {},\n    "c": [],\n    "d": "x: {,}\\"",\n    "e": [\n      1,\n      2.50\n    ]\n  }\n]',
  )
})
