// What the registry gives up and what it never does: retention, blobs that no manifest names, uploads in flight.
import { afterEach, beforeEach, expect, test } from "bun:test"
import { readdirSync } from "node:fs"
import { isTag, parseRepositoryName } from "../../src/engine/registry/names.ts"
import { digestOf } from "../../src/oci/digest.ts"
import { OCI_INDEX, TestServer, uploadsOf } from "./fixture.ts"

let server: TestServer
beforeEach(() => {
  server = new TestServer()
})
afterEach(() => server[Symbol.dispose]())

const status = async (path: string): Promise<number> => (await server.send("HEAD", path)).status
const files = (): number => readdirSync(`${server.fixture.root}/content/sha256`).length
const age = (what: "tags" | "manifests" | "blobs", days: number): void => {
  const column = {
    tags: "tagged_at = tagged_at - ?1, pulled_at",
    manifests: "pushed_at = pushed_at - ?1, pulled_at",
    blobs: "touched_at",
  }
  const field = { tags: "pulled_at", manifests: "pulled_at", blobs: "touched_at" }[what]
  const sql = `UPDATE registry_${what} SET ${column[what]} = ${field} - ${days * 86_400_000}`.replaceAll(
    "?1",
    String(days * 86_400_000),
  )
  server.fixture.database.query<never>(sql).run()
}

test("a blob that no manifest names stays for an hour, then goes with its bytes", async () => {
  const { digest } = await server.pushBlob("a", "alone")
  await server.pushImage("a", "1")
  expect(await server.registry.gc({})).toEqual({ removed: [], spaceReclaimed: 0 })
  age("blobs", 1)
  const dry = await server.registry.gc({ dryRun: true })
  expect(dry.removed).toEqual([{ kind: "blob", name: `a@${digest}`, size: 5, reason: "no manifest names it" }])
  expect(dry.spaceReclaimed).toBe(5)
  expect(await status(`/v2/a/blobs/${digest}`)).toBe(200)
  // Somebody was just told that it is here, and counts on it.
  expect((await server.registry.gc({})).removed).toEqual([])
  age("blobs", 1)
  expect((await server.registry.gc({})).spaceReclaimed).toBe(5)
  expect(await status(`/v2/a/blobs/${digest}`)).toBe(404)
  expect(server.fixture.content.has(digestOf("alone"))).toBe(false)
  expect(await status("/v2/a/manifests/1")).toBe(200)
})

test("a blob of two repositories stays until both let it go", async () => {
  await server.pushImage("a", "1", "same")
  await server.pushImage("b", "1", "same")
  server.registry.removeRepository(parseRepositoryName("a"))
  await server.registry.gc({ grace: 0 })
  expect(await status(`/v2/b/blobs/${digestOf("layer of same")}`)).toBe(200)
  expect(await status("/v2/a/manifests/1")).toBe(404)
  server.registry.removeRepository(parseRepositoryName("b"))
  await server.registry.gc({ grace: 0 })
  expect(files()).toBe(0)
})

test("manifests without a tag stay unless told otherwise; what an index or a signature needs stays with it", async () => {
  const kept = await server.pushImage("a", "", "kept by the index")
  await server.pushManifest("a", "all", { schemaVersion: 2, mediaType: OCI_INDEX, manifests: [kept] }, OCI_INDEX)
  const alone = await server.pushImage("a", "", "alone")
  const about = (subject: object, text: string) => server.pushImage("a", "", text, { subject })
  const signature = await about(kept, "signature of the kept one")
  const lost = await about(alone, "signature of the lone one")
  await server.registry.gc({ grace: 0 })
  expect(await status(`/v2/a/manifests/${alone.digest}`)).toBe(200)
  const { removed } = await server.registry.gc({ grace: 0, untagged: true })
  const gone = removed.filter(({ kind }) => kind === "manifest").map(({ name }) => name)
  expect(gone.sort()).toEqual([`a@${alone.digest}`, `a@${lost.digest}`].sort())
  expect(await status(`/v2/a/manifests/${kept.digest}`)).toBe(200)
  expect(await status(`/v2/a/manifests/${signature.digest}`)).toBe(200)
  expect(await status(`/v2/a/blobs/${digestOf("layer of kept by the index")}`)).toBe(200)
  expect(await status(`/v2/a/blobs/${digestOf("layer of alone")}`)).toBe(404)
})

test("retention keeps the last tags of a repository, and gives up what goes with the others", async () => {
  for (const tag of ["1", "2", "3", "4"]) {
    await server.pushImage("team/app", tag)
    await Bun.sleep(2)
  }
  await server.pushImage("other", "1", "something else")
  server.registry.retention.put({ pattern: "team/*", keepLast: 2 })
  const { removed } = await server.registry.gc({ grace: 0 })
  const tags = removed.filter(({ kind }) => kind === "tag")
  expect(tags.map(({ name, reason }) => [name, reason])).toEqual([
    ["team/app:2", "not among the last 2 (team/*)"],
    ["team/app:1", "not among the last 2 (team/*)"],
  ])
  const list = await server.expect(200, "GET", "/v2/team/app/tags/list")
  expect(((await list.json()) as { tags: string[] }).tags).toEqual(["3", "4"])
  expect(server.fixture.content.has(digestOf("layer of 1"))).toBe(false)
  expect(await status("/v2/other/manifests/1")).toBe(200)
})

test("retention by age and by use spares the last tags, and the longest pattern decides", async () => {
  for (const tag of ["old", "used", "last"]) {
    await server.pushImage("team/app", tag)
    await Bun.sleep(2)
  }
  await server.pushImage("team/precious", "old")
  age("tags", 40)
  await server.expect(200, "GET", "/v2/team/app/manifests/used")
  server.registry.retention.put({ pattern: "*", keepLast: 1, unusedFor: 30 * 86_400 })
  server.registry.retention.put({ pattern: "team/precious", keepLast: 9 })
  const { removed } = await server.registry.gc({})
  expect(removed.filter(({ kind }) => kind === "tag").map(({ name }) => name)).toEqual(["team/app:old"])
  server.registry.retention.put({ pattern: "*", maxAge: 30 * 86_400 })
  const { removed: more } = await server.registry.gc({})
  expect(more.filter(({ kind }) => kind === "tag").map(({ name }) => name)).toEqual(["team/app:last", "team/app:used"])
  expect(await status("/v2/team/precious/manifests/old")).toBe(200)
})

test("an upload that nobody continues ends, one that is written to does not", async () => {
  const { headers } = await server.expect(202, "POST", "/v2/a/blobs/uploads/")
  const location = headers.get("location")!
  await server.expect(202, "PATCH", location, { body: "some" })
  expect((await server.registry.gc({})).removed).toEqual([])
  const { promise: goOn, resolve } = Promise.withResolvers<void>()
  const { promise: begun, resolve: begin } = Promise.withResolvers<void>()
  const slow = new ReadableStream<Uint8Array>({
    async pull(controller) {
      controller.enqueue(Buffer.from(" more"))
      begin()
      await goOn
      controller.close()
    },
  })
  const patch = server.send("PATCH", location, { body: slow })
  await begun
  while ((await server.expect(204, "GET", location)).headers.get("range") !== "0-8") await Bun.sleep(2)
  expect((await server.registry.gc({ grace: 0 })).removed).toEqual([])
  resolve()
  expect((await patch).status).toBe(202)
  await server.expect(201, "PUT", `${location}?digest=${digestOf("some more")}`)
  const left = (await server.expect(202, "POST", "/v2/a/blobs/uploads/")).headers.get("location")!
  await Bun.sleep(2)
  const { removed } = await server.registry.gc({ grace: 0.001 })
  expect(removed.filter(({ kind }) => kind === "upload")).toHaveLength(1)
  expect(await status(left)).toBe(405)
  await server.expect(404, "GET", left)
  expect(readdirSync(uploadsOf(server))).toEqual([])
})

test("pushes that go on while everything is collected again and again lose nothing", async () => {
  let isOver = false
  const collecting = (async () => {
    while (!isOver) await server.registry.gc({ grace: 60, untagged: true })
  })()
  await Promise.all(
    Array.from({ length: 8 }, async (_, worker) => {
      for (let round = 0; round < 5; round++) {
        const tag = `w${worker}-${round}`
        await server.pushImage(`busy/${worker % 2}`, tag, round % 2 === 0 ? "the same for all" : tag)
      }
    }),
  )
  isOver = true
  await collecting
  for (let worker = 0; worker < 8; worker++)
    for (let round = 0; round < 5; round++) {
      const name = `busy/${worker % 2}`
      const tag = `w${worker}-${round}`
      expect(isTag(tag)).toBe(true)
      const manifest = (await (await server.expect(200, "GET", `/v2/${name}/manifests/${tag}`)).json()) as {
        layers: { digest: string }[]
      }
      await server.expect(200, "GET", `/v2/${name}/blobs/${manifest.layers[0]!.digest}`)
    }
})
