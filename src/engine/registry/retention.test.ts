import { expect, test } from "bun:test"
import type { TagRow } from "./records.ts"
import { matches, overdue } from "./retention.ts"

const DAY = 86_400_000
const NOW = 1000 * DAY
/** Tags by name: pushed so many days ago, and last pulled. */
const tags = (all: Record<string, readonly [pushed: number, pulled: number]>): TagRow[] =>
  Object.entries(all).map(([tag, [pushed, pulled]]) => {
    return { tag, tagged_at: NOW - pushed * DAY, pulled_at: NOW - pulled * DAY } as unknown as TagRow
  })
const gone = (rows: TagRow[], policy: object): string[] =>
  overdue(rows, { pattern: "*", ...policy }, NOW).map(([{ tag }, reason]) => `${tag}: ${reason}`)
const some = tags({ a: [40, 40], b: [30, 1], c: [20, 20], d: [10, 10] })

test("overdue() gives up all but the last, or what is too old or unused beyond them", () => {
  expect(gone(some, { keepLast: 2 }) as string[]).toEqual(["b: not among the last 2", "a: not among the last 2"])
  expect(gone(some, { keepLast: 9 })).toEqual([])
  expect(gone(some, { keepLast: 0 })).toHaveLength(4)
  expect(gone(some, { maxAge: 25 * 86_400 })).toEqual(["b: too old", "a: too old"])
  expect(gone(some, { unusedFor: 15 * 86_400 })).toEqual(["c: unused", "a: unused"])
  expect(gone(some, { keepLast: 3, unusedFor: 5 * 86_400 })).toEqual(["a: unused"])
  expect(gone(some, {})).toEqual([])
})

test("matches() lets a star stand for anything, and nothing else for more than itself", () => {
  expect(matches("*", "team/app")).toBe(true)
  expect(matches("team/*", "team/app/sub")).toBe(true)
  expect(matches("team/*", "teams/app")).toBe(false)
  expect(matches("a.b", "axb")).toBe(false)
  expect(matches("*/app", "team/app")).toBe(true)
})
