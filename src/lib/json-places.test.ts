import { expect, test } from "bun:test"
import { parsePlaced } from "./json-places.ts"

test("parsePlaced() reads what JSON.parse reads", () => {
  for (const text of [
    ' {"a": [1, -2.5e3, "x\\n\\u0041\\"", true, false, null, {}], "b": {"c": []}} ',
    "[]",
    '"text"',
    "0",
    '{"":1}',
  ])
    expect(parsePlaced(text).value).toEqual(JSON.parse(text))
})

test("parsePlaced() knows where each member stands", () => {
  const text = '{\n  "a": 1,\n  "b": {\n    "c": [2]\n  }\n}'
  const { root } = parsePlaced(text)
  const b = root.members?.get("b")
  expect([root.members?.get("a")?.line, b?.line, b?.members?.get("c")?.line]).toEqual([2, 3, 4])
  const c = b?.members?.get("c")
  expect(text.slice(c?.valueStart, c?.valueEnd)).toBe("[2]")
})

test.each([
  ["", "line 1, column 1: expected a value, the file ends"],
  ["{", 'line 1, column 2: expected a key in "double quotes", the file ends'],
  ['{"a" 1}', 'column 6: expected : after the key "a", there is "1"'],
  ['{"a": 01}', "not a number"],
  ['{"a": "x', "a text does not end"],
  ['{"a": "\\x"}', "a text with an escape"],
  ["[1,]", 'column 4: expected a value, there is "]"'],
  ["{} x", 'column 4: expected the end of the file, there is "x"'],
  ["{a: 1}", "expected a key"],
  ['{"a": // no\n1}', "expected a value"],
])("parsePlaced() says what is wrong with %s", (text, message) => {
  expect(() => parsePlaced(text)).toThrow(message)
  expect(() => JSON.parse(text)).toThrow()
})

test("parsePlaced() keeps a member named __proto__ as any other, and a deep nest does not end the process", () => {
  expect(Object.keys(parsePlaced('{"__proto__":{"a":1}}').value as object)).toEqual(["__proto__"])
  expect(() => parsePlaced("[".repeat(100_000))).toThrow("at most 100 levels")
})
