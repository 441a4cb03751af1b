import { expect, test } from "bun:test"
import { cycles, folderOf, forbidden, importsOf, parseTable } from "./check-deps.ts"

const TABLE = parseTable(
  [
    "text",
    "| folder | may import |",
    "|---|---|",
    "| `lib` | nothing |",
    "| `a` `b` | `lib` |",
    "| `daemon.ts` | everything |",
    "",
  ].join("\n"),
)

const value = (from: string, to: string) => ({ from, to, kind: "static" }) as const

test("parseTable() gives every folder of a row the same imports", () => {
  expect([...(TABLE.get("b") ?? [])]).toEqual(["lib"])
  expect([...(TABLE.get("lib") ?? ["?"])]).toEqual([])
})

test("importsOf() sees plain, type, re-exported, side-effect, multi-line and dynamic imports, and no packages", () => {
  const text = [
    'import { x } from "../lib/x.ts"',
    'import type { Y } from "./y.ts"',
    'export { z } from "./z.ts"',
    'import "./effect.ts"',
    "import {",
    "  one,",
    "  two,",
    '} from "../lib/many.ts"',
    'import { test } from "bun:test"',
    'const late = await import("../b/late.ts")',
  ].join("\n")
  expect(importsOf("/repo", "src/a/file.ts", text)).toEqual([
    value("src/a/file.ts", "src/lib/x.ts"),
    { from: "src/a/file.ts", to: "src/a/y.ts", kind: "type" },
    value("src/a/file.ts", "src/a/z.ts"),
    value("src/a/file.ts", "src/a/effect.ts"),
    value("src/a/file.ts", "src/lib/many.ts"),
    { from: "src/a/file.ts", to: "src/b/late.ts", kind: "late" },
  ])
})

test("folderOf() names folders, single files, and nothing outside src", () => {
  expect(folderOf("src/engine/images/pull.ts")).toBe("engine")
  expect(folderOf("src/daemon.ts")).toBe("daemon.ts")
  expect(folderOf("tools/check.ts")).toBeUndefined()
})

test("forbidden() names an import that the table does not allow, of types too", () => {
  expect(forbidden(TABLE, [value("src/a/file.ts", "src/lib/x.ts"), value("src/a/file.ts", "src/a/y.ts")])).toEqual([])
  expect(forbidden(TABLE, [{ from: "src/a/file.ts", to: "src/b/x.ts", kind: "type" }])).toEqual([
    'src/a/file.ts imports "src/b/x.ts": "a" may not import "b"',
  ])
  expect(forbidden(TABLE, [value("src/daemon.ts", "src/b/x.ts")])).toEqual([])
  expect(forbidden(TABLE, [value("src/new/file.ts", "src/lib/x.ts")])).toEqual([
    'src/new/file.ts: folder "new" is not in the table of ARCHITECTURE.md',
  ])
})

test("cycles() finds a circle once, and lets circles of types and of late imports be", () => {
  const circle = [value("a", "b"), value("b", "c"), value("c", "a"), value("d", "a")]
  expect(cycles(circle)).toEqual([["a", "b", "c"]])
  expect(cycles([value("a", "b"), { from: "b", to: "a", kind: "type" }])).toEqual([])
  expect(cycles([value("a", "b"), { from: "b", to: "a", kind: "late" }])).toEqual([])
})
