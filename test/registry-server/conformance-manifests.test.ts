// The points of the OCI distribution-spec 1.1 as raw requests (docs/registry.md lists them). Manifests: stored once
// what they name is here, given back byte for byte, deleted.
import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import { digestOf } from "../../src/oci/digest.ts"
import { OCI_CONFIG, OCI_INDEX, OCI_MANIFEST, refusal, TestServer } from "./fixture.ts"

let server: TestServer
const name = "team/app"
const bytes = Buffer.from("a blob of some bytes")
const sha512 = `sha512:${new Bun.CryptoHasher("sha512").update(bytes).digest("hex")}`

beforeAll(() => {
  server = new TestServer()
})
afterAll(() => server[Symbol.dispose]())

describe("end-3, 7, 9: manifests", () => {
  test("a manifest comes back byte for byte, by tag and by digest", async () => {
    const config = await server.pushBlob(name, "{}")
    const body = `{ "schemaVersion": 2,\n "layers": [], "mediaType": "${OCI_MANIFEST}", "x-own": [1,2],\n "config": ${JSON.stringify({ ...config, mediaType: OCI_CONFIG })} }\n`
    const put = await server.expect(201, "PUT", `/v2/${name}/manifests/exact`, {
      body,
      headers: { "Content-Type": OCI_MANIFEST },
    })
    const own = digestOf(body)
    expect(put.headers.get("docker-content-digest")).toBe(own)
    for (const reference of ["exact", own]) {
      const head = await server.expect(200, "HEAD", `/v2/${name}/manifests/${reference}`)
      expect(head.headers.get("content-length")).toBe(String(body.length))
      const got = await server.expect(200, "GET", `/v2/${name}/manifests/${reference}`)
      expect([got.headers.get("content-type"), got.headers.get("docker-content-digest")]).toEqual([OCI_MANIFEST, own])
      expect(await got.text()).toBe(body)
    }
    expect(await (await server.expect(200, "GET", put.headers.get("location")!)).text()).toBe(body)
  })

  test("parameters of the Content-Type are ignored", async () => {
    const image = await server.pushImage(name, "plain")
    const got = await server.expect(200, "GET", `/v2/${name}/manifests/plain`)
    const headers = { "Content-Type": `${OCI_MANIFEST}; charset=utf-8` }
    await server.expect(201, "PUT", `/v2/${name}/manifests/plain`, { body: await got.text(), headers })
    const again = await server.expect(200, "GET", `/v2/${name}/manifests/${image.digest}`)
    expect(again.headers.get("content-type")).toBe(OCI_MANIFEST)
  })

  test("Docker's manifests and lists are kept as what they are", async () => {
    const type = "application/vnd.docker.distribution.manifest.v2+json"
    const config = {
      ...(await server.pushBlob(name, "{}")),
      mediaType: "application/vnd.docker.container.image.v1+json",
    }
    const image = await server.pushManifest(name, "d2", { schemaVersion: 2, mediaType: type, config, layers: [] }, type)
    const list = "application/vnd.docker.distribution.manifest.list.v2+json"
    await server.pushManifest(name, "dl", { schemaVersion: 2, mediaType: list, manifests: [image] }, list)
    const got = await server.expect(200, "GET", `/v2/${name}/manifests/dl`)
    expect(got.headers.get("content-type")).toBe(list)
  })

  test("an index, and an index of an index, are stored once what they name is here", async () => {
    const image = await server.pushImage(name, "", "indexed")
    const inner = await server.pushManifest(
      name,
      "",
      { schemaVersion: 2, mediaType: OCI_INDEX, manifests: [image] },
      OCI_INDEX,
    )
    await server.pushManifest(name, "nested", { schemaVersion: 2, mediaType: OCI_INDEX, manifests: [inner] }, OCI_INDEX)
    const missing = { ...image, digest: digestOf("missing") }
    const body = JSON.stringify({ schemaVersion: 2, mediaType: OCI_INDEX, manifests: [missing] })
    const refused = server.send("PUT", `/v2/${name}/manifests/sparse`, { body, headers: { "Content-Type": OCI_INDEX } })
    expect(await refusal(refused)).toBe("404 MANIFEST_BLOB_UNKNOWN")
  })

  test("a manifest of blobs that are not here is refused, but layers that lie elsewhere are nobody's business", async () => {
    const config = { ...(await server.pushBlob(name, "{}")), mediaType: OCI_CONFIG }
    const layer = { mediaType: "application/vnd.oci.image.layer.v1.tar", digest: digestOf("gone"), size: 4 }
    const put = (layers: object[]) =>
      server.send("PUT", `/v2/${name}/manifests/partial`, {
        body: JSON.stringify({ schemaVersion: 2, mediaType: OCI_MANIFEST, config, layers }),
        headers: { "Content-Type": OCI_MANIFEST },
      })
    expect(await refusal(put([layer]))).toBe("404 MANIFEST_BLOB_UNKNOWN")
    const foreign = "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip"
    expect((await put([{ ...layer, mediaType: foreign, urls: ["https://example.com/x"] }])).status).toBe(201)
  })

  test("a manifest that is none is refused with 400", async () => {
    const config = { ...(await server.pushBlob(name, "{}")), mediaType: OCI_CONFIG }
    const good = { schemaVersion: 2, mediaType: OCI_MANIFEST, config, layers: [] as unknown }
    const bad: [unknown, string][] = [
      ["no json", OCI_MANIFEST],
      [[], OCI_MANIFEST],
      [{ ...good, schemaVersion: 1 }, OCI_MANIFEST],
      [{ ...good, layers: "x" }, OCI_MANIFEST],
      [{ ...good, manifests: [] }, OCI_MANIFEST],
      [{ ...good, config: undefined }, OCI_MANIFEST],
      [{ ...good, config: { ...config, size: 99 } }, OCI_MANIFEST],
      [{ ...good, config: { ...config, size: -1 } }, OCI_MANIFEST],
      [{ ...good, config: { ...config, digest: "../../etc/passwd" } }, OCI_MANIFEST],
      [{ ...good, annotations: { a: 1 } }, OCI_MANIFEST],
      [{ ...good, subject: { digest: "x" } }, OCI_MANIFEST],
      [good, OCI_INDEX],
      [good, "application/vnd.docker.distribution.manifest.v1+prettyjws"],
      [{ ...good, mediaType: "text/plain" }, "text/plain"],
    ]
    for (const [value, type] of bad) {
      const body = typeof value === "string" ? value : JSON.stringify(value)
      const answer = server.send("PUT", `/v2/${name}/manifests/bad`, { body, headers: { "Content-Type": type } })
      expect([body.slice(0, 60), await refusal(answer)]).toEqual([body.slice(0, 60), "400 MANIFEST_INVALID"])
    }
    await server.expect(404, "HEAD", `/v2/${name}/manifests/bad`)
    const other = server.send("PUT", `/v2/${name}/manifests/${digestOf("other")}`, {
      body: JSON.stringify(good),
      headers: { "Content-Type": OCI_MANIFEST },
    })
    expect(await refusal(other)).toBe("400 DIGEST_INVALID")
  })

  test("4 MiB are taken, more is refused with 413", async () => {
    const config = { ...(await server.pushBlob(name, "{}")), mediaType: OCI_CONFIG }
    const document = { schemaVersion: 2, mediaType: OCI_MANIFEST, config, layers: [], pad: "" }
    const room = (4 << 20) - JSON.stringify(document).length
    await server.pushManifest(name, "large", { ...document, pad: "x".repeat(room) })
    const body = JSON.stringify({ ...document, pad: "x".repeat(room + 1) })
    const known = server.send("PUT", `/v2/${name}/manifests/larger`, {
      body,
      headers: { "Content-Type": OCI_MANIFEST },
    })
    expect(await refusal(known)).toBe("413 SIZE_INVALID")
    const unknown = server.send("PUT", `/v2/${name}/manifests/larger`, { body: new Blob([body]).stream() })
    expect(await refusal(unknown)).toBe("413 SIZE_INVALID")
  })

  test("tags may come with a digest, and are named back", async () => {
    const image = await server.pushImage(name, "", "tagged by parameters")
    const body = await (await server.expect(200, "GET", `/v2/${name}/manifests/${image.digest}`)).text()
    const tags = Array.from({ length: 12 }, (_, at) => `p${at}`)
    const answer = await server.expect(201, "PUT", `/v2/${name}/manifests/${image.digest}?tag=${tags.join("&tag=")}`, {
      body,
      headers: { "Content-Type": OCI_MANIFEST },
    })
    expect(answer.headers.get("oci-tag")?.split(", ")).toEqual(tags)
    for (const tag of tags) {
      const head = await server.expect(200, "HEAD", `/v2/${name}/manifests/${tag}`)
      expect(head.headers.get("docker-content-digest")).toBe(image.digest)
    }
  })

  test("a sha512 manifest is known by that digest, and may name blobs by theirs", async () => {
    const config = { mediaType: OCI_CONFIG, digest: sha512, size: bytes.length }
    await server.pushBlob(name, bytes, sha512)
    const body = JSON.stringify({ schemaVersion: 2, mediaType: OCI_MANIFEST, config, layers: [] })
    const own = `sha512:${new Bun.CryptoHasher("sha512").update(body).digest("hex")}`
    await server.expect(201, "PUT", `/v2/${name}/manifests/${own}`, { body, headers: { "Content-Type": OCI_MANIFEST } })
    const got = await server.expect(200, "GET", `/v2/${name}/manifests/${own}`)
    expect([got.headers.get("docker-content-digest"), await got.text()]).toEqual([own, body])
  })

  test("a deleted tag leaves its manifest; a deleted manifest takes its tags along", async () => {
    const { digest: own } = await server.pushImage("deleting", "one")
    await server.pushManifestAgain("deleting", "one", "two")
    await server.expect(202, "DELETE", "/v2/deleting/manifests/one")
    expect(await refusal(server.send("GET", "/v2/deleting/manifests/one"))).toBe("404 MANIFEST_UNKNOWN")
    expect(await refusal(server.send("DELETE", "/v2/deleting/manifests/one"))).toBe("404 MANIFEST_UNKNOWN")
    await server.expect(200, "HEAD", "/v2/deleting/manifests/two")
    await server.expect(202, "DELETE", `/v2/deleting/manifests/${own}`)
    await server.expect(404, "HEAD", "/v2/deleting/manifests/two")
    await server.expect(404, "HEAD", `/v2/deleting/manifests/${own}`)
    expect(await refusal(server.send("DELETE", `/v2/deleting/manifests/${own}`))).toBe("404 MANIFEST_UNKNOWN")
    expect(await refusal(server.send("GET", "/v2/never-was/manifests/1"))).toBe("404 MANIFEST_UNKNOWN")
  })

  test("a moved tag points to the new manifest, and the old one stays by digest", async () => {
    const before = await server.pushImage("moving", "latest", "old")
    const after = await server.pushImage("moving", "latest", "new")
    const head = await server.expect(200, "HEAD", "/v2/moving/manifests/latest")
    expect(head.headers.get("docker-content-digest")).toBe(after.digest)
    await server.expect(200, "HEAD", `/v2/moving/manifests/${before.digest}`)
  })
})
