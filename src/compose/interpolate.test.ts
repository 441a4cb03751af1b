// biome-ignore-all lint/suspicious/noTemplateCurlyInString: they are variables of compose files
import { expect, test } from "bun:test"
import { parseEnvFile } from "./env-file.ts"
import { interpolate } from "./interpolate.ts"

const values: Readonly<Record<string, string>> = { A: "a", EMPTY: "", B: "b" }
const lookup = (name: string): string | undefined => values[name]

test("interpolate() replaces names, with and without braces", () => {
  expect(interpolate("$A-${A}-$$A-$1-$", lookup)).toBe("a-a-$A-$1-$")
})

test.each([
  ["${A:-x}", "a"],
  ["${EMPTY:-x}", "x"],
  ["${EMPTY-x}", ""],
  ["${NONE-x}", "x"],
  ["${NONE:-${A}${B}}", "ab"],
  ["${NONE:-${NO:-${B}}}", "b"],
  ["${A:+x}", "x"],
  ["${EMPTY:+x}", ""],
  ["${EMPTY+x}", "x"],
  ["${NONE+x}", ""],
  ["${A:?no}", "a"],
  ["${EMPTY?no}", ""],
  ['${NONE:-{"k":{"v":1}}}', '{"k":{"v":1}}'],
  ["${NONE:-a:-b}", "a:-b"],
  ["${NONE:-$$A}", "$A"],
])("interpolate() of %s is %s", (text, result) => {
  expect(interpolate(text, lookup)).toBe(result)
})

test("interpolate() says why a required variable matters", () => {
  expect(() => interpolate("${NONE:?set ${A}}", lookup)).toThrow("required variable NONE is missing a value: set a")
  expect(() => interpolate("${EMPTY:?}", lookup)).toThrow("required variable EMPTY is missing a value")
})

test.each(["${", "${A", "${}", "${1A}", "${A!b}", "${A:-${B}"])("interpolate() refuses %s", (text) => {
  expect(() => interpolate(text, lookup)).toThrow("invalid interpolation format")
})

test("interpolate() tells of variables that are not set, and refuses endless nesting", () => {
  const missing: string[] = []
  interpolate("$NONE ${NO:-x} ${GONE}", lookup, (name) => missing.push(name))
  expect(missing).toEqual(["NONE", "GONE"])
  expect(() => interpolate("${N:-".repeat(2000) + "}".repeat(2000), lookup)).toThrow("too deeply")
})

const parse = (text: string, format?: "raw"): Record<string, string> =>
  Object.fromEntries(parseEnvFile(text, ".env", format === undefined ? { lookup } : { lookup, format }))

test("parseEnvFile() reads quotes, comments, export, and variables of its own", () => {
  expect(
    parse(
      '\ufeffX=1 # c\nexport Y="l1\\nl2 $X"\n\n# no\nZ=\'raw $X\' # c\nV=a#b\nW: yaml\nA\nMISSING\nD="\\$X \\"q\\""\nM="two\nlines"\nE=',
    ),
  ).toEqual({ X: "1", Y: "l1\nl2 1", Z: "raw $X", V: "a#b", W: "yaml", A: "a", D: '$X "q"', M: "two\nlines", E: "" })
})

test("parseEnvFile() takes raw files as they are", () => {
  expect(parse('A="$B" # x\n#c\nC=\'\n', "raw")).toEqual({ A: '"$B" # x', C: "'" })
})

test("parseEnvFile() says where a line is wrong", () => {
  expect(() => parse("A=1\nB C=2")).toThrow(".env:2: a variable's name cannot contain a space")
  expect(() => parse("A=1\n\n%=2")).toThrow('.env:3: unexpected character "%"')
  expect(() => parse('A="x')).toThrow(".env:1: a quoted value does not end")
})
