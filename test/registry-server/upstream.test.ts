// The pull-through cache: what another registry has comes through this one, once, and stays when the other is away.
import { afterEach, beforeEach, describe, expect, test } from "bun:test"
import { readdirSync } from "node:fs"
import { join } from "node:path"
import { digestOf, parseDigest } from "../../src/oci/digest.ts"
import { openFixture } from "../images/fixture.ts"
import { Relay } from "../support/registry.ts"
import { OCI_INDEX, OCI_MANIFEST, refusal, TestServer } from "./fixture.ts"

let upstream: TestServer
let relay: Relay
let server: TestServer
const PACE = { tries: 2, first: 1, longest: 1 }

beforeEach(async () => {
  upstream = new TestServer()
  relay = new Relay(upstream.host)
  const host = await relay.listen()
  const fixture = openFixture(undefined, { pace: PACE })
  server = new TestServer({ proxies: [{ prefix: "far", upstream: host }] }, fixture)
})
afterEach(() => {
  relay.close()
  server[Symbol.dispose]()
  upstream[Symbol.dispose]()
})

const layerOf = (text: string): string => digestOf(`layer of ${text}`)
const asked = (word: string): number => relay.seen.filter(({ path }) => path.includes(word)).length
/** As if a minute had passed. */
const later = (): void => server.fixture.database.query<never>("UPDATE registry_tags SET checked_at = 1").run() as never
const cache = () => {
  const { cacheHits, cacheMisses } = server.listeners.status()
  return { cacheHits, cacheMisses }
}

describe("a proxied prefix", () => {
  test("is fetched once, byte for byte, and then served from here", async () => {
    const image = await upstream.pushImage("team/app", "1")
    const first = await server.expect(200, "GET", "/v2/far/team/app/manifests/1")
    expect(first.headers.get("docker-content-digest")).toBe(image.digest)
    expect(first.headers.get("content-type")).toBe(OCI_MANIFEST)
    const head = await server.expect(200, "HEAD", `/v2/far/team/app/blobs/${layerOf("1")}`)
    expect(head.headers.get("content-length")).toBe("10")
    expect(relay.blobs()).toHaveLength(0)
    for (let round = 0; round < 3; round++) {
      await server.expect(200, "GET", "/v2/far/team/app/manifests/1")
      const blob = await server.expect(200, "GET", `/v2/far/team/app/blobs/${layerOf("1")}`)
      expect(await blob.text()).toBe("layer of 1")
    }
    expect(relay.blobs()).toHaveLength(1)
    expect(asked("/manifests/")).toBe(1)
    expect(cache()).toEqual({ cacheHits: 5, cacheMisses: 2 })
    await server.registry.gc({ untagged: true, grace: 0 })
    await server.expect(200, "GET", `/v2/far/team/app/blobs/${layerOf("1")}`)
    expect(relay.blobs()).toHaveLength(1)
  })

  test("asks again after a minute, and notices a tag that moved or went", async () => {
    await upstream.pushImage("app", "1", "old")
    await server.expect(200, "GET", "/v2/far/app/manifests/1")
    later()
    await server.expect(200, "GET", "/v2/far/app/manifests/1")
    expect(relay.seen.map(({ method }) => method)).toEqual(["GET", "HEAD"])
    const { digest } = await upstream.pushImage("app", "1", "new")
    later()
    const moved = await server.expect(200, "HEAD", "/v2/far/app/manifests/1")
    expect(moved.headers.get("docker-content-digest")).toBe(digest)
    await upstream.expect(202, "DELETE", "/v2/app/manifests/1")
    later()
    expect(await refusal(server.send("GET", "/v2/far/app/manifests/1"))).toBe("404 MANIFEST_UNKNOWN")
    await server.expect(200, "GET", `/v2/far/app/manifests/${digest}`)
  })

  test("is served from here, with a warning, while the other registry is away", async () => {
    await upstream.pushImage("app", "1")
    await server.expect(200, "GET", "/v2/far/app/manifests/1")
    await (await server.expect(200, "GET", `/v2/far/app/blobs/${layerOf("1")}`)).text()
    relay.close()
    upstream.listeners.dispose()
    later()
    const stale = await server.expect(200, "GET", "/v2/far/app/manifests/1")
    expect(stale.headers.get("warning")).toMatch(/^299 - "far\/app:1 is as of .*: its registry cannot be asked"$/)
    await server.expect(200, "GET", `/v2/far/app/blobs/${layerOf("1")}`)
    expect(
      ((await (await server.expect(200, "GET", "/v2/far/app/tags/list")).json()) as { tags: string[] }).tags,
    ).toEqual(["1"])
    const referrers = await server.expect(200, "GET", `/v2/far/app/referrers/${layerOf("1")}`)
    expect(((await referrers.json()) as { manifests: object[] }).manifests).toEqual([])
    // Found to be away once, it is not tried for everybody who asks.
    const began = performance.now()
    for (let round = 0; round < 20; round++) await server.expect(200, "GET", "/v2/far/app/manifests/1")
    expect(performance.now() - began).toBeLessThan(2000)
    expect((await server.send("GET", "/v2/far/app/manifests/2")).status).toBe(503)
    expect((await server.send("GET", "/v2/far/never/manifests/1")).status).toBe(503)
  })

  test("takes indexes, tags and referrers from there, and pushes nothing to it", async () => {
    const image = await upstream.pushImage("app", "", "of the index")
    await upstream.pushManifest("app", "all", { schemaVersion: 2, mediaType: OCI_INDEX, manifests: [image] }, OCI_INDEX)
    const signature = await upstream.pushImage("app", "", "signature", { subject: image })
    await server.expect(200, "GET", "/v2/far/app/manifests/all")
    await server.expect(200, "GET", `/v2/far/app/manifests/${image.digest}`)
    const referrers = (await (await server.expect(200, "GET", `/v2/far/app/referrers/${image.digest}`)).json()) as {
      manifests: { digest: string }[]
    }
    expect(referrers.manifests.map(({ digest }) => digest)).toEqual([signature.digest])
    const tags = (await (await server.expect(200, "GET", "/v2/far/app/tags/list")).json()) as { tags: string[] }
    expect(tags.tags).toEqual(["all"])
    expect(await refusal(server.send("POST", "/v2/far/app/blobs/uploads/"))).toBe("403 DENIED")
    expect(await refusal(server.send("DELETE", "/v2/far/app/manifests/all"))).toBe("403 DENIED")
    await server.pushImage("near/app", "1")
  })

  test("mirrors everything where it has no prefix, and the query names a registry", async () => {
    await upstream.pushImage("library/app", "1")
    const host = server.listeners.status().listeners[0]!.proxies![0]!.upstream
    const ns = await server.expect(200, "GET", `/v2/library/app/manifests/1?ns=${encodeURIComponent(host)}`)
    expect(ns.headers.get("oci-namespace")).toBe(host)
    using all = new TestServer({ proxies: [{ prefix: "", upstream: host }] })
    await all.expect(200, "GET", "/v2/library/app/manifests/1")
    expect(await refusal(all.send("GET", "/v2/library/none/manifests/1"))).toBe("404 MANIFEST_UNKNOWN")
    expect(await refusal(all.send("POST", "/v2/anything/blobs/uploads/"))).toBe("403 DENIED")
  })

  test("one transfer serves all who wait for a blob, each at its own pace", async () => {
    const bytes = Buffer.alloc(4_000_000, "large ")
    const blob = await upstream.pushBlob("app", bytes)
    const config = await upstream.pushBlob("app", "{}")
    await upstream.pushManifest("app", "1", { schemaVersion: 2, mediaType: OCI_MANIFEST, config, layers: [blob] })
    await server.expect(200, "GET", "/v2/far/app/manifests/1")
    relay.bytesPerMillisecond = 20_000
    const pulls = Array.from({ length: 6 }, async (_, at) => {
      await Bun.sleep(at * 20)
      const headers: Record<string, string> = at === 5 ? { Range: "bytes=3999990-" } : {}
      const answer = await server.send("GET", `/v2/far/app/blobs/${blob.digest}`, { headers })
      return Buffer.from(await answer.arrayBuffer())
    })
    const got = await Promise.all(pulls)
    for (const one of got.slice(0, 5)) expect(digestOf(one)).toBe(blob.digest as never)
    expect(got[5]).toEqual(bytes.subarray(3_999_990))
    expect(relay.blobs()).toHaveLength(1)
    expect(readdirSync(join(server.fixture.root, "registry/fetches"))).toEqual([])
  })

  test("whoever comes at any moment of a transfer, its last one too, gets the whole blob", async () => {
    const bytes = Buffer.alloc(1_000_000, "moving ")
    const blob = await upstream.pushBlob("app", bytes)
    const config = await upstream.pushBlob("app", "{}")
    await upstream.pushManifest("app", "1", { schemaVersion: 2, mediaType: OCI_MANIFEST, config, layers: [blob] })
    await server.expect(200, "GET", "/v2/far/app/manifests/1")
    const pulls: Promise<ArrayBuffer>[] = []
    // No more at once than this process has connections for, which the fetch from the other registry needs too.
    while (pulls.length < 100) {
      const headers = { Range: `bytes=${pulls.length}-` }
      pulls.push(server.send("GET", `/v2/far/app/blobs/${blob.digest}`, { headers }).then((r) => r.arrayBuffer()))
      await Bun.sleep(server.fixture.content.has(blob.digest as never) ? 10 : 1)
    }
    for (const [at, got] of (await Promise.all(pulls)).entries()) expect(got.byteLength).toBe(bytes.length - at)
  })

  test("wrong bytes never make a whole answer, and are not kept", async () => {
    const blob = await upstream.pushBlob("app", "the right bytes")
    const config = await upstream.pushBlob("app", "{}")
    await upstream.pushManifest("app", "1", { schemaVersion: 2, mediaType: OCI_MANIFEST, config, layers: [blob] })
    await server.expect(200, "GET", "/v2/far/app/manifests/1")
    const path = upstream.fixture.content.path(blob.digest as never)
    await Bun.write(path, "the wrong bytes")
    const answer = server.send("GET", `/v2/far/app/blobs/${blob.digest}`).then((response) => response.text())
    const outcome = await answer.then(
      (text) => text,
      () => "broken off",
    )
    expect(outcome).not.toBe("the wrong bytes")
    expect(server.fixture.content.has(blob.digest as never)).toBe(false)
    await Bun.write(path, "the right bytes")
    const again = await server.expect(200, "GET", `/v2/far/app/blobs/${blob.digest}`)
    expect(await again.text()).toBe("the right bytes")
  })

  test("what a fetch that broke off has brought is not fetched again", async () => {
    const bytes = Buffer.alloc(1_000_000, "half of it is here ")
    const blob = await upstream.pushBlob("app", bytes)
    const config = await upstream.pushBlob("app", "{}")
    await upstream.pushManifest("app", "1", { schemaVersion: 2, mediaType: OCI_MANIFEST, config, layers: [blob] })
    await server.expect(200, "GET", "/v2/far/app/manifests/1")
    const left = join(server.fixture.root, "registry/fetches", blob.digest.slice("sha256:".length))
    await Bun.write(left, bytes.subarray(0, 600_000))
    const got = await server.expect(200, "GET", `/v2/far/app/blobs/${blob.digest}`)
    expect(digestOf(new Uint8Array(await got.arrayBuffer()))).toBe(parseDigest(blob.digest))
    expect(relay.blobs().map(({ range, bytes: sent }) => [range, sent])).toEqual([["bytes=600000-", 400_000]])
    await upstream.pushBlob("app", "other")
  })

  test("a blob that no manifest from there names is not fetched", async () => {
    const blob = await upstream.pushBlob("app", "unnamed")
    expect(await refusal(server.send("GET", `/v2/far/app/blobs/${blob.digest}`))).toBe("404 BLOB_UNKNOWN")
    expect(relay.blobs()).toHaveLength(0)
  })
})
