// This machine's images, served under their names from the content store as it is.
import { afterEach, beforeEach, expect, test } from "bun:test"
import { readdirSync } from "node:fs"
import { join } from "node:path"
import { digestOf } from "../../src/oci/digest.ts"
import { file, never, streamFrom, tarOf } from "../images/fixture.ts"
import { OCI_MANIFEST, refusal, TestServer } from "./fixture.ts"

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

test("an image whose compressed layers are gone is served with its plain ones, always the same", async () => {
  await server.pushImage("source", "1")
  const tar = await tarOf([file("a", "compressed once")])
  const gzip = Bun.gzipSync(tar)
  const layer = { ...(await server.pushBlob("source", gzip)), mediaType: "application/vnd.oci.image.layer.v1.tar+gzip" }
  const config = JSON.stringify({
    architecture: "amd64",
    os: "linux",
    rootfs: { type: "layers", diff_ids: [digestOf(tar)] },
    config: {},
  })
  const descriptor = {
    ...(await server.pushBlob("source", config)),
    mediaType: "application/vnd.oci.image.config.v1+json",
  }
  await server.pushManifest("source", "1", {
    schemaVersion: 2,
    mediaType: OCI_MANIFEST,
    config: descriptor,
    layers: [layer],
  })
  const { progress, images } = server.fixture
  await images.pull(`${server.host}/source:1`, { progress, signal: never() })
  await images.tag(`${server.host}/source:1`, "renamed:1")
  await server.expect(202, "DELETE", `/v2/source/blobs/${layer.digest}`)
  server.fixture.content.remove(layer.digest as never)
  const [first, second] = [await manifestOf("/v2/renamed/manifests/1"), await manifestOf("/v2/renamed/manifests/1")]
  expect(first).toEqual(second)
  expect(first.layers.map(({ digest }) => digest)).toEqual([digestOf(tar)])
  const bytes = await (await server.expect(200, "GET", `/v2/renamed/blobs/${digestOf(tar)}`)).arrayBuffer()
  expect(digestOf(new Uint8Array(bytes))).toBe(digestOf(tar))
})

test("images are kept to this machine where the listener says so", async () => {
  await make("app:1", "private")
  const { address } = server.listeners.serve({ address: "127.0.0.1:0", localImages: false })
  expect(await refusal(fetch(`http://${address}/v2/app/manifests/1`))).toBe("404 MANIFEST_UNKNOWN")
  expect(await (await fetch(`http://${address}/v2/_catalog`)).json()).toEqual({ repositories: [] })
})
