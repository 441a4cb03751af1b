// Uploads through connections that break: what the registry kept is not sent again, and what it lost begins anew.
import { afterEach, beforeEach, expect, test } from "bun:test"
import { randomBytes } from "node:crypto"
import { digestOf } from "../../src/oci/digest.ts"
import { openRegistries } from "../../src/registry/client.ts"
import type { Repository, UploadSource } from "../../src/registry/contract.ts"
import { RateLimit } from "../../src/registry/rate-limit.ts"
import { FaultRegistry } from "../support/fault-registry.ts"

const SIZE = 20 << 20
const bytes = randomBytes(SIZE)
const digest = digestOf(bytes)
const known = { digest, size: SIZE }
const { signal } = new AbortController()
let registry: FaultRegistry
let repository: Repository

async function* inPieces(): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < SIZE; at += 100_000) yield bytes.subarray(at, at + 100_000)
}
const anonymous: UploadSource = { bytes: inPieces }
const sent = (): number => registry.seen.reduce((sum, one) => sum + one.bytes, 0)

beforeEach(async () => {
  registry = new FaultRegistry()
  const domain = await registry.listen()
  const pace = { tries: 4, first: 1, longest: 20 }
  const registries = openRegistries({ settings: () => ({}), pace, patience: 5000, certificates: [] })
  repository = registries.repository({ domain, path: "up" }, { access: "push", limit: new RateLimit(1e12) })
})
afterEach(() => registry.close())

test("what is known goes in one request, what is not in one stream", async () => {
  expect(await repository.upload({ ...anonymous, known }, { signal })).toEqual(known)
  expect(registry.sent("PUT", "uploads")).toMatchObject([{ bytes: SIZE }])
  expect(registry.sent("PATCH", "uploads")).toEqual([])
  registry.seen.length = 0
  expect(await repository.upload(anonymous, { signal })).toEqual(known)
  expect(registry.sent("PATCH", "uploads")).toMatchObject([{ bytes: SIZE }])
  expect(registry.blobs.get(digest)?.length).toBe(SIZE)
})

test("a registry that says how long chunks should be gets chunks, each with its place", async () => {
  registry.faults.chunkMinLength = 1 << 20
  await repository.upload(anonymous, { signal })
  const ranges = registry.sent("PATCH", "uploads").map(({ headers }) => headers["content-range"])
  expect(ranges).toEqual([`0-${(8 << 20) - 1}`, `${8 << 20}-${(16 << 20) - 1}`, `${16 << 20}-${SIZE - 1}`])
  registry.seen.length = 0
  registry.faults.chunkMinLength = 12 << 20
  await repository.upload(anonymous, { signal })
  expect(registry.sent("PATCH", "uploads")).toHaveLength(2)
})

for (const source of ["known", "unknown"])
  test(`a stream of ${source} bytes that breaks goes on from what was kept`, async () => {
    Object.assign(registry.faults, { breakUploadAfter: 9 << 20, breaks: 1 })
    const upload = source === "known" ? { ...anonymous, known } : anonymous
    expect(await repository.upload(upload, { signal })).toEqual(known)
    expect(registry.blobs.get(digest)?.equals(bytes)).toBe(true)
    expect(sent()).toBeLessThan(1.1 * SIZE)
  })

test("chunks that break go on within themselves, several times", async () => {
  Object.assign(registry.faults, { chunkMinLength: 1, breakUploadAfter: 3 << 20, breaks: 5 })
  expect(await repository.upload(anonymous, { signal })).toEqual(known)
  expect(registry.blobs.get(digest)?.equals(bytes)).toBe(true)
  expect(sent()).toBeLessThan(1.1 * SIZE)
})

test("a registry that forgets a broken upload gets it from its start", async () => {
  Object.assign(registry.faults, { breakUploadAfter: 5 << 20, breaks: 2, forgets: true })
  expect(await repository.upload(anonymous, { signal })).toEqual(known)
  expect(registry.blobs.get(digest)?.equals(bytes)).toBe(true)
  expect(registry.sent("POST", "uploads").length).toBeGreaterThan(1)
})

test("an upload that always breaks ends, in one line", async () => {
  Object.assign(registry.faults, { breakUploadAfter: 0, breaks: 1000, forgets: true })
  const failed = repository.upload(anonymous, { signal })
  expect(await failed.catch((error: Error) => error.message)).toMatch(/broke off|lost a part|closed/)
})

test("bytes that are not the ones hoped for are an error, and the registry keeps nothing of them", async () => {
  const expected = { digest: digestOf("else"), size: 4 }
  const failed = repository.upload({ ...anonymous, expect: expected }, { signal })
  expect(await failed.catch((error: Error) => error.message)).toContain(`do not match the digest "${expected.digest}"`)
  expect(registry.sent("DELETE", "uploads")).toHaveLength(1)
  expect(registry.blobs.size).toBe(0)
})
