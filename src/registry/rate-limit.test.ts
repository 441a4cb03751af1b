import { expect, test } from "bun:test"
import { limited, RateLimit } from "./rate-limit.ts"

const { signal } = new AbortController()

async function* chunks(count: number, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < count; at++) yield new Uint8Array(size)
}

async function drain(source: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const _chunk of source);
}

test("a limit is one for everything that shares it, however large the chunks are", async () => {
  const limit = new RateLimit(1_000_000)
  const begun = performance.now()
  await Promise.all([
    drain(limited(chunks(10, 20_000), limit, signal)),
    drain(limited(chunks(1, 200_000), limit, signal)),
    drain(limited(chunks(100, 2000), limit, signal)),
  ])
  // 600 kB at 1 MB/s, less a quarter of a second's worth; what the last chunk borrows nobody waits for.
  expect(performance.now() - begun).toBeGreaterThan(300)
})

test("who waits for a limit leaves when the work is cancelled", async () => {
  const abort = new AbortController()
  const work = drain(limited(chunks(3, 1_000_000), new RateLimit(1), abort.signal))
  abort.abort()
  expect(await work.catch((error: Error) => error.message)).toBe("The request was cancelled")
})

test("limited() without a limit is the source itself", () => {
  const source = chunks(1, 1)
  expect(limited(source, undefined, signal)).toBe(source)
})
