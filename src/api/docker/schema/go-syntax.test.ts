import { expect, test } from "bun:test"
import { scanJson } from "./go-syntax.ts"

test.each([
  ["", "EOF"],
  ["{", "unexpected EOF"],
  ['{"a', "unexpected EOF"],
  ['{"a":1', "unexpected EOF"],
  ["nul", "unexpected EOF"],
  ["x", "invalid character 'x' looking for beginning of value"],
  ["'a'", "invalid character '\\'' looking for beginning of value"],
  ["{a:1}", "invalid character 'a' looking for beginning of object key string"],
  ['{"a":1,}', "invalid character '}' looking for beginning of object key string"],
  ['{"a" 1}', "invalid character '1' after object key"],
  ['{"a":1 "b":2}', "invalid character '\"' after object key:value pair"],
  ["[1 2]", "invalid character '2' after array element"],
  ["[1,]", "invalid character ']' looking for beginning of value"],
  ["[01]", "invalid character '1' after array element"],
  ["-x", "invalid character 'x' in numeric literal"],
  ["1.x", "invalid character 'x' after decimal point in numeric literal"],
  ["1ex", "invalid character 'x' in exponent of numeric literal"],
  ["trux", "invalid character 'x' in literal true (expecting 'e')"],
  ['"\\q"', "invalid character 'q' in string escape code"],
  ['"\\u12g4"', "invalid character 'g' in \\u hexadecimal character escape"],
  ['"a\nb"', "invalid character '\\n' in string literal"],
  ["\u0001", "invalid character '\\x01' looking for beginning of value"],
  ["\u00e9", "invalid character '\u00c3' looking for beginning of value"],
] as const)("scanJson(%j) says %s", (text, fault) => {
  expect(scanJson(text)).toEqual({ fault })
})

test.each(["{}", '{"a":[1,-2.5e+3,true,null,"\\u00e9"]} ', " [ ] "])("scanJson(%j) finds the end", (text) => {
  const found = scanJson(text)
  expect("end" in found && text.slice(0, found.end).trim()).toBe(text.trim())
})

test("scanJson() is bounded in depth, and gives up there", () => {
  expect(scanJson("[".repeat(1_000_000))).toEqual({ fault: "invalid character '[' exceeded max depth" })
})
