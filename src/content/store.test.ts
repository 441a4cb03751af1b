import { afterEach, beforeEach, expect, test } from "bun:test"
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { isKind } from "../lib/errors.ts"
import { type Digest, digestOf, hexOf } from "../oci/digest.ts"
import { Database } from "../state/database.ts"
import type { ContentStore } from "./contract.ts"
import { SEGMENT_SIZE } from "./partial.ts"
import { openContentStore } from "./store.ts"

let directory: string
let database: Database
let store: ContentStore

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "dhow-content-"))
  database = Database.open(join(directory, "dhow.db"))
  store = openContentStore(database, join(directory, "content"))
})

afterEach(() => {
  database.close()
  rmSync(directory, { recursive: true })
})

async function* chunks(...texts: string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield Buffer.from(text)
}

function files(): string[] {
  return [...readdirSync(join(directory, "content/sha256")), ...readdirSync(join(directory, "content/ingest"))]
}

async function failure(promise: Promise<unknown>): Promise<unknown> {
  return await promise.then(
    () => undefined,
    (error: unknown) => error,
  )
}

test("ingest() stores a stream under the digest of its bytes", async () => {
  const blob = await store.ingest(chunks("hello ", "world"), {})
  expect(blob).toEqual({ digest: digestOf("hello world"), size: 11 })
  expect(readFileSync(store.path(blob.digest), "utf8")).toBe("hello world")
  expect(store.stat(blob.digest)).toEqual(blob)
  expect([...store.list()]).toEqual([blob])
})

test("ingest() of bytes that are there already changes nothing", async () => {
  const [one, two] = await Promise.all([store.ingest(chunks("same"), {}), store.ingest(chunks("sa", "me"), {})])
  expect(one).toEqual(two)
  expect(await store.put(Buffer.from("same"))).toEqual(one)
  expect(files()).toEqual([hexOf(one.digest)])
})

test("ingest() of bytes that are there leaves their file as it is, unless it is damaged", async () => {
  const { digest } = await store.put(Buffer.from("same"))
  const { ino } = statSync(store.path(digest))
  await store.ingest(chunks("same"), {})
  expect(statSync(store.path(digest)).ino).toBe(ino)
  truncateSync(store.path(digest), 2)
  await store.ingest(chunks("same"), {})
  expect(readFileSync(store.path(digest), "utf8")).toBe("same")
  writeFileSync(store.path(digest), "damn")
  await store.ingest(chunks("same"), {})
  expect(readFileSync(store.path(digest), "utf8")).toBe("same")
  expect(files()).toEqual([hexOf(digest)])
})

test("ingest() keeps nothing when the digest, the size or the limit is wrong", async () => {
  const wrong = [
    { expect: { digest: digestOf("other") } },
    { expect: { size: 4 } },
    { expect: { size: 6 } },
    { limit: 4 },
  ] as const
  for (const options of wrong) {
    const error = await failure(store.ingest(chunks("he", "llo"), options))
    expect(isKind(error, "invalid")).toBe(true)
  }
  expect(files()).toEqual([])
})

test("ingest() keeps nothing when the source fails or the caller cancels, and closes the source", async () => {
  let closed = false
  async function* endless(): AsyncGenerator<Uint8Array> {
    try {
      for (;;) yield Buffer.from("x")
    } finally {
      closed = true
    }
  }
  const error = await failure(store.ingest(endless(), { signal: AbortSignal.abort() }))
  expect(isKind(error, "cancelled")).toBe(true)
  expect(closed).toBe(true)
  async function* broken(): AsyncGenerator<Uint8Array> {
    yield Buffer.from("x")
    throw new Error("the line went dead")
  }
  expect(String(await failure(store.ingest(broken(), {})))).toContain("the line went dead")
  expect(files()).toEqual([])
})

test("read() refuses what is larger than its limit", async () => {
  const { digest } = await store.put(Buffer.from("12345"))
  expect(Buffer.from(await store.read(digest)).toString()).toBe("12345")
  expect(isKind(await failure(store.read(digest, 4)), "invalid")).toBe(true)
  expect(isKind(await failure(store.read(digestOf("nothing"))), "not-found")).toBe(true)
})

test("remove() takes row and file away, and path() then says not-found", async () => {
  const { digest } = await store.put(Buffer.from("gone"))
  await turn()
  expect(store.remove(digest)).toBe(true)
  store.remove(digest)
  await store.settled()
  expect(files()).toEqual([])
  expect(() => store.path(digest)).toThrow("No content with digest")
})

test("remove() leaves what put() has just given to somebody, new or found", async () => {
  const bytes = Buffer.from("given")
  const { digest } = await store.put(bytes)
  expect(store.remove(digest)).toBe(false)
  await turn()
  await store.put(bytes)
  expect(store.remove(digest)).toBe(false)
  await turn()
  expect(store.remove(digest)).toBe(true)
})

test("remove() during an ingest of the same bytes leaves a blob that is whole", async () => {
  const digest = digestOf("contested")
  for (let round = 0; round < 50; round++) {
    const ingest = store.ingest(chunks("contested"), {})
    const remover = (async () => {
      for (let at = 0; at < 20; at++) {
        store.remove(digest)
        store.sweep()
        await new Promise((resolve) => setImmediate(resolve))
      }
    })()
    await ingest
    await remover
    expect(existsSync(join(directory, "content/sha256", hexOf(digest)))).toBe(store.has(digest))
  }
})

test("sweep() removes files that no row names and nothing else", async () => {
  const { digest } = await store.put(Buffer.from("kept"))
  const stray = join(directory, "content/sha256", hexOf(digestOf("stray") as Digest))
  const half = join(directory, "content/ingest/half")
  writeFileSync(stray, "stray")
  writeFileSync(half, "half")
  expect([...store.sweep()].sort()).toEqual([half, stray].sort())
  expect(files()).toEqual([hexOf(digest)])
})

test("a lease holds digests until its scope ends", async () => {
  const held = () => database.query<{ digest: string }>("SELECT digest FROM leases").all()
  {
    using lease = store.lease()
    lease.hold(digestOf("a"))
    lease.hold(digestOf("a"))
    lease.hold(digestOf("b"))
    expect(held()).toHaveLength(2)
  }
  expect(held()).toEqual([])
})

test("partial() keeps what was appended for the next one, through a sweep, until it is discarded", async () => {
  const blob = { digest: digestOf("hello world"), size: 11 }
  {
    await using partial = store.partial(blob)
    expect(partial.filled).toBe(0)
    await partial.append(partial.segments[0]!, Buffer.from("hel"))
    await partial.append(partial.segments[0]!, Buffer.from("lo"))
  }
  store.sweep()
  expect(store.has(blob.digest)).toBe(false)
  {
    await using partial = store.partial(blob)
    expect(partial.reaches(0)).toBe(5)
    expect(Buffer.concat(await Array.fromAsync(partial.read(0, 5))).toString()).toBe("hello")
    await partial.append(partial.segments[0]!, Buffer.from(" world"))
    expect(partial.filled).toBe(11)
    expect(partial.append(partial.segments[0]!, Buffer.from("!"))).rejects.toThrow("More bytes than segment 0")
    partial.discard()
  }
  expect(files()).toEqual([])
  {
    await using _unused = store.partial(blob)
  }
  expect(files()).toEqual([])
})

test("adopt() moves a file in under its digest, and refuses one of another size", async () => {
  const blob = { digest: digestOf("adopted"), size: 7 }
  const path = join(directory, "elsewhere")
  writeFileSync(path, "adopted")
  expect(isKind(await failure(store.adopt(path, { ...blob, size: 8 })), "internal")).toBe(true)
  expect(existsSync(path)).toBe(true)
  expect(await store.adopt(path, blob)).toEqual(blob)
  expect(existsSync(path)).toBe(false)
  expect(readFileSync(store.path(blob.digest), "utf8")).toBe("adopted")
})

test("partial() keeps parts that do not touch, and takes a file of another length for none", async () => {
  const size = 2 * SEGMENT_SIZE + 100
  const blob = { digest: digestOf("parts"), size }
  {
    await using partial = store.partial(blob)
    expect(partial.segments.map(({ from, to }) => [from, to])).toEqual([
      [0, SEGMENT_SIZE],
      [SEGMENT_SIZE, 2 * SEGMENT_SIZE],
      [2 * SEGMENT_SIZE, size],
    ])
    await partial.append(partial.segments[1]!, Buffer.alloc(SEGMENT_SIZE, 1))
    await partial.append(partial.segments[0]!, Buffer.from("ab"))
  }
  {
    await using partial = store.partial(blob)
    expect(partial.segments.map(({ filled }) => filled)).toEqual([2, SEGMENT_SIZE, 0])
    expect([partial.reaches(0), partial.reaches(2), partial.reaches(SEGMENT_SIZE)]).toEqual([2, 0, SEGMENT_SIZE])
    await partial.append(partial.segments[0]!, Buffer.alloc(SEGMENT_SIZE - 2, 2))
    expect(partial.reaches(1)).toBe(2 * SEGMENT_SIZE - 1)
    const [first] = await Array.fromAsync(partial.read(0, 3))
    expect(first).toEqual(Buffer.from([97, 98, 2]))
  }
  await using other = store.partial({ ...blob, size: size + 1 })
  expect(other.filled).toBe(0)
})
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
