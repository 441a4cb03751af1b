import { expect, test } from "bun:test"
import { toPlain } from "./node.ts"
import { parseFile, plainValue } from "./parse.ts"

const plain = (text: string): unknown => JSON.parse(JSON.stringify(parseFile(text, "c.yaml").map(toPlain)))

test("parseFile() reads aliases, merge keys and several documents", () => {
  expect(plain("a: &x {k: 1, l: 2}\nb: {<<: *x, l: 3}\nc: [*x]\nd: {<<: [{p: 1}, {p: 2, q: 3}]}\n---\ne: 1")).toEqual([
    { a: { k: 1, l: 2 }, b: { k: 1, l: 3 }, c: [{ k: 1, l: 2 }], d: { p: 1, q: 3 } },
    { e: 1 },
  ])
})

test.each([
  ["0440", 288],
  ["0x10", 16],
  ["0o17", 15],
  ["1_000", 1000],
  ["1e3", 1000],
  ["yes", "yes"],
  ["True", true],
  ["~", null],
  ["", null],
  ["1.50", 1.5],
  ["1.2.3", "1.2.3"],
  ["99999999999999999999", "99999999999999999999"],
  ["-5", -5],
  ["08", 8],
])("plainValue() reads %s", (text, value) => {
  expect(plainValue(text)).toBe(value as never)
})

test("parseFile() keeps quoted and tagged scalars as text", () => {
  expect(plain("a: \"1\"\nb: '~'\nc: !!str 5\nd: |\n  x\n")).toEqual([{ a: "1", b: "~", c: "5", d: "x\n" }])
})

test("parseFile() knows lines and columns, and tags", () => {
  const [node] = parseFile("a:\n  - x\n  - !reset y\n  - !override {z: 1}\n", "c.yaml")
  const list = node?.kind === "mapping" ? node.entries.get("a")?.node : undefined
  const items = list?.kind === "sequence" ? list.items : []
  expect(items.map(({ place: { line, column }, tag }) => [line, column, tag])).toEqual([
    [2, 5, undefined],
    [3, 12, "reset"],
    [4, 15, "override"],
  ])
})

test.each([
  ["a: 1\na: 2", 'c.yaml:2:1: the key "a" was already given in line 1'],
  ["a: *b", 'c.yaml:1:4: no anchor is called "b"'],
  ["a: &a [*a]", 'c.yaml:1:8: the anchor "a" contains itself'],
  ["a: &x 1\nb: {<<: *x}", "only mappings can be merged"],
  ["a: [1", "c.yaml:"],
  ["a: 'x", "c.yaml:"],
  ["? [1]\n: 2", "the key of a mapping has to be a plain value"],
])("parseFile() says what is wrong with %j", (text, message) => {
  expect(() => parseFile(text, "c.yaml")).toThrow(message)
})

test("parseFile() refuses aliases that multiply, without writing them out", () => {
  const lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
  for (let at = 1; at < 12; at++)
    lines.push(
      `a${at}: &a${at} [${Array(10)
        .fill(`*a${at - 1}`)
        .join(", ")}]`,
    )
  expect(() => parseFile(lines.join("\n"), "c.yaml")).toThrow("grows to more than 100000 values")
  const merged = lines.map((line) => line.replace(/\[x.*/, "{x: 1}").replace(/\[(.*)\]/, "{<<: [$1]}"))
  expect(() => parseFile(merged.join("\n"), "c.yaml")).not.toThrow()
})

test.each([
  ["flow lists", "[".repeat(100_000)],
  ["flow mappings", "{a: ".repeat(50_000)],
  ["closed lists", `a: ${"[".repeat(900)}${"]".repeat(900)}`],
  ["block lists", "- ".repeat(50_000)],
  ["block mappings", Array.from({ length: 2000 }, (_, depth) => `${" ".repeat(depth)}a:`).join("\n")],
  ["explicit keys", "? ".repeat(50_000)],
  ["tags", `a: ${"!x ".repeat(10_000)}`],
])("parseFile() refuses %s that nest without end", (_name, text) => {
  expect(() => parseFile(text, "c.yaml")).toThrow(/c\.yaml/)
})

test("parseFile() refuses a file of more than 4 MiB", () => {
  expect(() => parseFile(`a: ${"x".repeat(5 << 20)}`, "c.yaml")).toThrow("larger than 4 MiB")
})
