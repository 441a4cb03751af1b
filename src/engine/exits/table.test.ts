import { afterEach, expect, test } from "bun:test"
import { Database } from "../../state/database.ts"
import type { ExitReport } from "../../wire/exit.ts"
import { aReport } from "../why/test-facts.ts"
import { ExitTable } from "./table.ts"

const database = Database.open(":memory:")
const table = new ExitTable(database)
const A = "a".repeat(64)
const B = `ab${"b".repeat(62)}`

function add(container: string, name: string, more: Partial<ExitReport> = {}): number {
  const { Detail: _, ...report } = aReport({ ContainerID: container, Name: name, ...more })
  return table.add(report)
}

afterEach(() => {
  database.query<never, Record<string, never>>("DELETE FROM exits").run({})
})

test("of() gives the ends of one container, newest first, with what was added afterwards", () => {
  add(A, "web", { ExitCode: 1 })
  const row = add(A, "web", { ExitCode: 2 })
  add(B, "other")
  table.describe(row, { LastLines: [{ Stream: "stdout", Text: "x" }], Mounts: [] })
  const found = table.of(A).map(({ report }) => [report.ExitCode, report.Detail?.LastLines.length])
  expect(found).toEqual([
    [2, 1],
    [1, undefined],
  ])
})

test("containersNamed() finds by name, id and prefix, the one that ended last first", () => {
  add(A, "web")
  add(B, "web")
  add(A, "renamed")
  expect(table.containersNamed("web")).toEqual([B, A])
  expect(table.containersNamed("renamed")).toEqual([A])
  expect(table.containersNamed(A)).toEqual([A])
  expect(table.containersNamed("abbb")).toEqual([B])
  expect(table.containersNamed("ab")).toEqual([])
  expect(table.containersNamed("*")).toEqual([])
  expect(table.containersNamed("'; DROP TABLE exits; --")).toEqual([])
})

test("since() is by the time of the end", () => {
  add(A, "one", { FinishedAt: "2030-01-01T00:00:00.5Z" })
  add(A, "two", { FinishedAt: "2030-01-01T00:00:01Z" })
  const from = Date.parse("2030-01-01T00:00:01Z")
  expect(table.since(from).map(({ report }) => report.Name)).toEqual(["two"])
})

test("prune() keeps ten of each container, and removed ones for a week", () => {
  const old = new Date(Date.now() - 8 * 24 * 3600 * 1000).toISOString()
  add(B, "gone", { FinishedAt: old })
  for (let i = 0; i < 15; i++) add(A, "web", { ExitCode: i, FinishedAt: new Date().toISOString() })
  for (let i = 0; i < 100; i++) table.prune()
  expect(table.of(B)).toEqual([])
  expect(table.since(0).map(({ report }) => report.ExitCode)).toEqual([5, 6, 7, 8, 9, 10, 11, 12, 13, 14])
})

test("prune() keeps the newest thousand of removed containers", () => {
  const FinishedAt = new Date().toISOString()
  database.transaction(() => {
    for (let i = 0; i < 1100; i++) add(i.toString(16).padStart(64, "0"), `c${i}`, { FinishedAt })
  })
  for (let i = 0; i < 100; i++) table.prune()
  const left = table.since(0)
  expect([left.length, left[0]?.report.Name]).toEqual([1000, "c100"])
})

test("a row that cannot be read is passed over", () => {
  add(A, "web")
  database.query<never, Record<string, never>>("UPDATE exits SET report = '{'").run({})
  expect(table.of(A)).toEqual([])
})
