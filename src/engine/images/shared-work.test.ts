import { expect, test } from "bun:test"
import type { ProgressLine } from "../../wire/image.ts"
import { SharedWork } from "./shared-work.ts"

function listener() {
  const abort = new AbortController()
  const lines: ProgressLine[] = []
  return { abort, lines, progress: (line: ProgressLine) => void lines.push(line), signal: abort.signal }
}

test("join() runs the work once for all who ask meanwhile, and again afterwards", async () => {
  const shared = new SharedWork<number>()
  const gate = Promise.withResolvers<void>()
  let runs = 0
  const work = async ({ progress }: { progress: (line: ProgressLine) => void }) => {
    runs++
    await gate.promise
    progress({ status: "half" })
    return runs
  }
  const [one, two] = [listener(), listener()]
  const both = Promise.all([shared.join("a", one, work), shared.join("a", two, work)])
  gate.resolve()
  expect(await both).toEqual([1, 1])
  expect([one.lines, two.lines]).toEqual([[{ status: "half" }], [{ status: "half" }]])
  expect(await shared.join("a", one, work)).toBe(2)
})

test("join() cancels the work only when the last listener leaves, and then waits for its end", async () => {
  const shared = new SharedWork<void>()
  let ended = false
  const work = async ({ signal }: { signal: AbortSignal }) => {
    await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()))
    await Promise.resolve()
    ended = true
    throw new Error("undone")
  }
  const [one, two] = [listener(), listener()]
  const first = shared.join("a", one, work)
  const second = shared.join("a", two, work)
  one.abort.abort()
  await expect(first).rejects.toThrow("cancelled")
  expect(ended).toBe(false)
  two.abort.abort()
  await expect(second).rejects.toThrow("cancelled")
  expect(ended).toBe(true)
})

test("join() hands the work's failure to everybody", async () => {
  const shared = new SharedWork<void>()
  const fail = async () => {
    throw new Error("broken")
  }
  const results = await Promise.allSettled([shared.join("a", listener(), fail), shared.join("a", listener(), fail)])
  expect(results.map((result) => result.status)).toEqual(["rejected", "rejected"])
})
