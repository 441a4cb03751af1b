import { describe, expect, test } from "bun:test"
import { checkHealthAction, nextDelay } from "./health-action.ts"
import { resolveRequirements } from "./requirements.ts"
import type { ContainerStore } from "./store.ts"

const NOW = 1e12
const MINUTE = 60_000

describe("nextDelay()", () => {
  test("is nothing at first, then doubles from a second to five minutes", () => {
    expect(nextDelay({ last: 0, delay: 0 }, NOW)).toBe(0)
    const delays: number[] = []
    for (let delay = 0; delays.length < 11; delays.push(delay)) delay = nextDelay({ last: NOW - MINUTE, delay }, NOW)
    expect(delays).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300].map((seconds) => seconds * 1000))
  })

  test("begins anew for who stayed well for ten minutes", () => {
    expect(nextDelay({ last: NOW - 11 * MINUTE, delay: 64_000 }, NOW)).toBe(0)
  })
})

test("checkHealthAction() takes the four words, and nothing", () => {
  for (const word of [undefined, "", "none", "restart", "stop", "kill"]) checkHealthAction(word)
  expect(() => checkHealthAction("reboot")).toThrow('invalid health action "reboot"')
})

describe("resolveRequirements()", () => {
  const known: Record<string, object> = {
    db: { id: "d".repeat(64), name: "db", config: { Healthcheck: { Test: ["CMD", "true"] } } },
    job: { id: "e".repeat(64), name: "job", config: {} },
  }
  const store = {
    resolve(name: string) {
      if (known[name] === undefined) throw new Error(`No such container: ${name}`)
      return { record: known[name] }
    },
  } as unknown as ContainerStore

  test("keeps ids, which a rename does not change", () => {
    expect(resolveRequirements(store, ["db", "db:healthy", "job:completed"])).toEqual([
      "d".repeat(64),
      `${"d".repeat(64)}:healthy`,
      `${"e".repeat(64)}:completed`,
    ])
    expect(resolveRequirements(store, null)).toEqual([])
  })

  test.each([
    ["", "invalid requirement"],
    [":healthy", "invalid requirement"],
    ["db:", "invalid requirement"],
    ["db:fine", "invalid requirement"],
    ["db:healthy:x", "invalid requirement"],
    ["job:healthy", "has no health check"],
    ["nobody", "No such container"],
  ])("refuses %j", (text, reason) => {
    expect(() => resolveRequirements(store, [text])).toThrow(reason)
  })
})
