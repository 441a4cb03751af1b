// This machine's images, served under their names from the content store as it is.
import { afterEach, beforeEach, expect, test } from "bun:test"
import { readdirSync } from "node:fs"
import { join } from "node:path"
import { gzipSync } from "node:zlib"
import { parseRepositoryName } from "../../src/engine/registry/names.ts"
import { digestOf, parseDigest } from "../../src/oci/digest.ts"
import { file, never, streamFrom, tarOf } from "../images/fixture.ts"
import { OCI_CONFIG, OCI_MANIFEST, refusal, TestServer } from "./fixture.ts"

let server: TestServer
beforeEach(() => {
  server = new TestServer()
})
afterEach(() => server[Symbol.dispose]())

type Manifest = {
  readonly layers: { digest: string; mediaType: string; size: number }[]
  readonly config: { digest: string }
}
const manifestOf = async (path: string): Promise<Manifest & { digest: string }> => {
  const answer = await server.expect(200, "GET", path)
  const text = await answer.text()
  expect(answer.headers.get("docker-content-digest")).toBe(digestOf(text))
  return { ...(JSON.parse(text) as Manifest), digest: digestOf(text) }
}
async function make(reference: string, text: string): Promise<string> {
  const tar = await tarOf([file("greeting", text)])
  const { progress } = server.fixture
  return (await server.fixture.images.import(streamFrom(tar), { reference, changes: [], progress, signal: never() })).id
}
const stored = (): readonly string[] => readdirSync(join(server.fixture.root, "content/sha256")).sort()

test("an image that was made here is served under its name without a copy", async () => {
  const id = await make("app:1", "hello")
  const before = stored()
  const manifest = await manifestOf("/v2/app/manifests/1")
  expect(manifest.config.digest).toBe(id)
  for (const { digest, size } of [...manifest.layers, { ...manifest.config, size: 0 }]) {
    const answer = await server.expect(200, "GET", `/v2/app/blobs/${digest}`)
    const bytes = new Uint8Array(await answer.arrayBuffer())
    expect(digestOf(bytes)).toBe(digest as never)
    if (size > 0) expect(bytes.length).toBe(size)
  }
  await server.expect(200, "HEAD", `/v2/app/manifests/${manifest.digest}`)
  expect(stored()).toEqual(before)
  expect(server.registry.records.names()).toEqual([])
})

test("names are found as users write them, and only in their own repository", async () => {
  await make("app:1", "one")
  await make("app:2", "two")
  await make("team/tool:1", "three")
  await make("distro.local/thing:1", "four")
  await make(`${server.host}/mine:1`, "five")
  await make("elsewhere.example.com:5000/far:1", "six")
  const tags = async (name: string) =>
    ((await (await server.expect(200, "GET", `/v2/${name}/tags/list`)).json()) as { tags: string[] }).tags
  expect(await tags("app")).toEqual(["1", "2"])
  expect(await tags("library/app")).toEqual(["1", "2"])
  expect(await tags("team/tool")).toEqual(["1"])
  expect(await tags("distro.local/thing")).toEqual(["1"])
  expect(await tags("mine")).toEqual(["1"])
  const catalog = (await (await server.expect(200, "GET", "/v2/_catalog")).json()) as { repositories: string[] }
  expect(catalog.repositories).toEqual(["app", "distro.local/thing", "mine", "team/tool"])
  const { layers } = await manifestOf("/v2/team/tool/manifests/1")
  expect(await refusal(server.send("GET", `/v2/app/blobs/${layers[0]!.digest}`))).toBe("404 BLOB_UNKNOWN")
  expect(await refusal(server.send("DELETE", "/v2/app/manifests/1"))).toBe("404 MANIFEST_UNKNOWN")
})

test("what is pushed goes before an image of the same name, and may use its blobs", async () => {
  await make("app:1", "made here")
  const local = await manifestOf("/v2/app/manifests/1")
  const { digest: _own, ...document } = local
  const pushed = await server.pushManifest("app", "1", { ...document, annotations: { pushed: "yes" } })
  const head = await server.expect(200, "HEAD", "/v2/app/manifests/1")
  expect(head.headers.get("docker-content-digest")).toBe(pushed.digest)
  await server.fixture.images.remove("app:1", { force: true, prune: true })
  await server.registry.gc({ grace: 0 })
  await server.expect(200, "GET", `/v2/app/blobs/${local.layers[0]!.digest}`)
  await server.expect(201, "POST", `/v2/other/blobs/uploads/?mount=${local.layers[0]!.digest}&from=app`)
})

/** An image of one layer, compressed as told, pulled from this very registry, whose own copy of the layer is gone then. */
async function pullCompressed(compress: (tar: Uint8Array<ArrayBuffer>) => Uint8Array) {
  const tar = await tarOf([file("a", "compressed once")])
  const layer = await server.pushBlob("source", compress(tar))
  const body = { architecture: "amd64", os: "linux", rootfs: { type: "layers", diff_ids: [digestOf(tar)] }, config: {} }
  const config = { ...(await server.pushBlob("source", JSON.stringify(body))), mediaType: OCI_CONFIG }
  const mediaType = "application/vnd.oci.image.layer.v1.tar+gzip"
  const document = { schemaVersion: 2, mediaType: OCI_MANIFEST, config, layers: [{ ...layer, mediaType }] }
  const manifest = await server.pushManifest("source", "1", document)
  const { progress, images, content } = server.fixture
  await images.pull(`${server.host}/source:1`, { progress, signal: never() })
  await images.tag(`${server.host}/source:1`, "renamed:1")
  server.registry.removeRepository(parseRepositoryName("source"))
  content.remove(parseDigest(layer.digest))
  return { tar, layer, manifest }
}

test("a pulled image keeps its digests: compressed layers are made again at the first request", async () => {
  const { layer, manifest } = await pullCompressed((tar) => gzipSync(tar, { level: 9 }))
  const served = await manifestOf("/v2/renamed/manifests/1")
  expect(served.digest).toBe(parseDigest(manifest.digest))
  const bytes = await (await server.expect(200, "GET", `/v2/renamed/blobs/${layer.digest}`)).arrayBuffer()
  expect(digestOf(new Uint8Array(bytes))).toBe(parseDigest(layer.digest))
  await server.registry.gc({ grace: 0 })
  await server.expect(200, "HEAD", `/v2/renamed/blobs/${layer.digest}`)
})

test("where nobody knows how they were made, the plain layers are served, always the same", async () => {
  // An empty member first: no compressor begins so.
  const { tar, layer } = await pullCompressed((tar) => Buffer.concat([gzipSync(Buffer.alloc(0)), gzipSync(tar)]))
  const [first, second] = [await manifestOf("/v2/renamed/manifests/1"), await manifestOf("/v2/renamed/manifests/1")]
  expect(first).toEqual(second)
  expect(first.layers.map(({ digest }) => digest)).toEqual([digestOf(tar)])
  const bytes = await (await server.expect(200, "GET", `/v2/renamed/blobs/${digestOf(tar)}`)).arrayBuffer()
  expect(digestOf(new Uint8Array(bytes))).toBe(digestOf(tar))
  expect(await refusal(server.send("GET", `/v2/renamed/blobs/${layer.digest}`))).toBe("404 BLOB_UNKNOWN")
})

test("images are kept to this machine where the listener says so", async () => {
  await make("app:1", "private")
  const { address } = server.listeners.serve({ address: "127.0.0.1:0", localImages: false })
  expect(await refusal(fetch(`http://${address}/v2/app/manifests/1`))).toBe("404 MANIFEST_UNKNOWN")
  expect(await (await fetch(`http://${address}/v2/_catalog`)).json()).toEqual({ repositories: [] })
})
