// A short share of the fuzzing, by a seed that is always the same. The long run: bun test/fuzz/main.ts. Needs root.
import { expect, setDefaultTimeout, test } from "bun:test"
import { fuzz } from "./fuzz.ts"

setDefaultTimeout(120_000)

test("archives with mutated headers are indexed, unpacked or refused, and nothing else happens", async () => {
  const result = await fuzz({ seed: 20_251_122, headers: 4000, unpacked: 100, mountOneOf: 100 })
  expect(result.findings).toEqual([])
  expect(result.headers).toBeGreaterThanOrEqual(4000)
  // Both happen often, or the mutations would test nothing.
  expect(result.indexed).toBeGreaterThan(400)
  expect(result.refused).toBeGreaterThan(400)
  expect(result.mounted > 0).toBe(result.canMount)
  expect(result.rss).toBeLessThan(1 << 30)
  expect(result.unpackRss).toBeLessThan(512 << 20)
})
