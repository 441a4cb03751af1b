import { afterEach, beforeEach, describe, expect, test } from "bun:test"
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { LogDriver } from "./driver.ts"
import { Forwarder } from "./forwarder.ts"

let directory: string
let path: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "dhow-forward-"))
  path = join(directory, "log")
})
afterEach(() => rmSync(directory, { recursive: true }))

const record = (text: string): string => `2026-01-31T09:05:00.000000000+00:00 stdout F ${text}\n`
const lines = (from: number, count: number): string[] =>
  Array.from({ length: count }, (_, index) => `line ${from + index}`)

/** Takes what comes, but for the first tries. */
function driver(failures = 0): { readonly driver: LogDriver; readonly taken: string[] } {
  const taken: string[] = []
  let left = failures
  return {
    taken,
    driver: {
      retry: { delay: 1 },
      open: async () => {},
      close: () => {},
      async send(messages) {
        if (left-- > 0) throw new Error("refused")
        taken.push(...messages.map(({ line }) => line.toString()))
      },
    },
  }
}

async function forward(used: LogDriver, backlog?: number): Promise<void> {
  const forwarder = new Forwarder({ id: "c", path, notes: join(directory, "notes"), driver: used, backlog })
  await forwarder.run(undefined, new AbortController().signal)
  forwarder.close()
}

describe("Forwarder", () => {
  test("sends again what was refused, and the next one goes on where it was", async () => {
    writeFileSync(path, lines(0, 6000).map(record).join(""))
    const first = driver(3)
    await forward(first.driver)
    expect(first.taken).toEqual(lines(0, 6000))
    appendFileSync(path, lines(6000, 10).map(record).join(""))
    const second = driver()
    await forward(second.driver)
    expect(second.taken).toEqual(lines(6000, 10))
  })

  test("drops the oldest where more waits than may, and keeps the rest", async () => {
    writeFileSync(path, lines(0, 6000).map(record).join(""))
    const { driver: used, taken } = driver(2)
    await forward(used, 50_000)
    expect(taken.at(-1)).toBe("line 5999")
    expect(taken.length).toBeGreaterThan(500)
    expect(taken).toEqual(lines(6000 - taken.length, taken.length))
    expect(taken.length).toBeLessThan(6000)
  })

  test("begins with the file anew where another one has its number, or its notes are torn", async () => {
    writeFileSync(path, lines(0, 10).map(record).join(""))
    await forward(driver().driver)
    writeFileSync(path, record("other").replace("09:05", "10:05"))
    const { driver: used, taken } = driver()
    await forward(used)
    expect(taken).toEqual(["other"])
    writeFileSync(join(directory, "notes"), '{"position":')
    const again = driver()
    await forward(again.driver)
    expect(again.taken).toEqual(["other"])
  })
})
