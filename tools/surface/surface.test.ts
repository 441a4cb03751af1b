import { expect, test } from "bun:test"
import { join } from "node:path"
import { joinEntries, parseDeclarations } from "./declarations.ts"
import { fieldsOf, referenceOf } from "./extract.ts"
import { untested } from "./main.ts"
import { renderPage } from "./render.ts"

const document = (version: string, properties: Record<string, unknown>) => ({
  info: { version },
  definitions: { Limits: { properties: { Memory: {}, Devices: { items: { properties: { Path: {} } } } } } },
  paths: {
    "/containers/create": {
      post: {
        parameters: [
          { in: "query", name: "name" },
          { in: "body", schema: { allOf: [{ $ref: "#/definitions/Limits" }, { properties }] } },
        ],
      },
    },
  },
})

test("fieldsOf() goes through references, lists and maps", () => {
  const properties = { Ports: { additionalProperties: { items: { properties: { HostIp: {} } } } } }
  expect(fieldsOf(document("1", {}), { properties })).toEqual(["Ports", "Ports{}[].HostIp"])
})

test("referenceOf() says which versions have an entry", () => {
  const { versions, entries } = referenceOf([document("1.1", { Old: {} }), document("1.2", { New: {} })])
  expect(versions).toEqual(["1.1", "1.2"])
  expect(entries).toEqual([
    { name: "POST /containers/create" },
    { name: "POST /containers/create ?name" },
    { name: "POST /containers/create Devices" },
    { name: "POST /containers/create Devices[].Path" },
    { name: "POST /containers/create Memory" },
    { name: "POST /containers/create New", since: "1.2" },
    { name: "POST /containers/create Old", last: "1.1" },
  ])
})

const TEXT = `
# a comment
@run = test/a.test.ts: runs, and "ends"
POST /a         works @run
  ?name         differs: how it is: other @run @run
  Cpu*          refused: why @run
`

test("parseDeclarations() reads entries below their endpoint", () => {
  const { declarations, problems } = parseDeclarations("x.txt", TEXT)
  expect(problems).toEqual([])
  expect(declarations.map(({ entry, verdict, text, tests }) => [entry, verdict, text, tests.length])).toEqual([
    ["POST /a", "works", "", 1],
    ["POST /a ?name", "differs", "how it is: other", 2],
    ["POST /a Cpu*", "refused", "why", 1],
  ])
})

test("parseDeclarations() names the line it cannot read", () => {
  expect(parseDeclarations("x.txt", "POST /a perhaps\n  b works @gone").problems).toEqual([
    'x.txt:1: expected ENTRY works|differs: HOW|refused: WHY @TEST, got "POST /a perhaps"',
    'x.txt:2: no test "@gone" above',
  ])
})

test("joinEntries() finds what is missing, double, and unknown", () => {
  const { declarations } = parseDeclarations("x.txt", "POST /a works\n  Cpu* works\n  Gone works\nPOST /a works")
  const entries = ["POST /a", "POST /a CpuShares", "POST /a Memory"].map((name) => ({ name }))
  const { joined, problems } = joinEntries(entries, declarations)
  expect(joined.map(({ entry }) => entry.name)).toEqual(["POST /a", "POST /a CpuShares"])
  expect(problems).toEqual([
    'x.txt:4: "POST /a" is at x.txt:1 already',
    '"POST /a Memory" of Docker\'s API has no entry in tools/surface/declared',
    'x.txt:1: Docker\'s API has no "POST /a"',
    'x.txt:3: Docker\'s API has no "POST /a Gone"',
  ])
})

test("untested() wants a test that is there, and a reason", () => {
  const root = join(import.meta.dir, "../..")
  const given = { entry: "GET /a", at: "x.txt:1", text: "" }
  const real = { file: "tools/surface/surface.test.ts", name: "untested() wants a test that is there, and a reason" }
  expect(untested(root, { ...given, verdict: "works", tests: [] })).toEqual(['x.txt:1: "works" without a test'])
  expect(untested(root, { ...given, verdict: "works", tests: [real] })).toEqual([])
  expect(untested(root, { ...given, verdict: "differs", tests: [real] })).toHaveLength(1)
  const gone = { ...real, name: `${real.name} of another name` }
  expect(untested(root, { ...given, verdict: "works", tests: [gone] })).toHaveLength(1)
})

test("untested() wants the words of a command in its test", () => {
  const root = join(import.meta.dir, "../..")
  const tests = [{ file: "tools/surface/surface.test.ts", name: "untested() wants the words of a command in its test" }]
  const given = { at: "x.txt:1", text: "", verdict: "works", tests } as const
  expect(untested(root, { ...given, entry: "docker POST" })).toHaveLength(1)
  expect(untested(root, { ...given, entry: "docker query" })).toEqual([])
})

test("renderPage() has a line for each entry", () => {
  const { declarations } = parseDeclarations("x.txt", TEXT)
  const entries = [{ name: "POST /a" }, { name: "POST /a ?name", since: "1.44" }]
  const { joined } = joinEntries(entries, declarations)
  const test = '[a](../test/a.test.ts) "runs, and "ends""'
  expect(renderPage({ versions: ["1.1", "1.2"], entries }, "28", joined)).toContain(
    `| the endpoint | | works | | ${test} |\n| \`?name\` | from 1.44 | differs | how it is: other | ${test}<br>${test} |\n`,
  )
})
