// The points of the OCI distribution-spec 1.1, endpoint by endpoint (docs/registry.md lists them), as raw requests.
import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import { digestOf } from "../../src/oci/digest.ts"
import { OCI_CONFIG, OCI_EMPTY, OCI_INDEX, OCI_MANIFEST, refusal, TestServer } from "./fixture.ts"

let server: TestServer
const name = "team/app"
const bytes = Buffer.from("a blob of some bytes")
const digest = digestOf(bytes)
const sha512 = `sha512:${new Bun.CryptoHasher("sha512").update(bytes).digest("hex")}`
const octets = { "Content-Type": "application/octet-stream" }

beforeAll(() => {
  server = new TestServer()
})
afterAll(() => server[Symbol.dispose]())

const begin = async (at = name): Promise<string> =>
  (await server.expect(202, "POST", `/v2/${at}/blobs/uploads/`)).headers.get("location")!
const chunk = (location: string, range: string, body: string) =>
  server.send("PATCH", location, { body, headers: { ...octets, "Content-Range": range } })

describe("end-1: support", () => {
  test("GET /v2/ answers 200", async () => {
    const answer = await server.expect(200, "GET", "/v2/")
    expect(answer.headers.get("docker-distribution-api-version")).toBe("registry/2.0")
    await server.expect(200, "GET", "/v2")
  })
})

describe("end-4, 5, 6, 13, 14: pushing blobs", () => {
  test("POST then PUT stores a blob, and its Location can be pulled", async () => {
    const location = await begin()
    expect(location).toMatch(/^\/v2\/team\/app\/blobs\/uploads\/[0-9a-f]{32}$/)
    const answer = await server.expect(201, "PUT", `${location}?digest=${digest}`, { body: bytes, headers: octets })
    expect(answer.headers.get("docker-content-digest")).toBe(digest)
    const pulled = await server.expect(200, "GET", answer.headers.get("location")!)
    expect(Buffer.from(await pulled.arrayBuffer())).toEqual(bytes)
  })

  test("one POST with the digest stores a blob", async () => {
    const answer = await server.expect(201, "POST", `/v2/${name}/blobs/uploads/?digest=${digestOf("single")}`, {
      body: "single",
      headers: octets,
    })
    expect(await (await server.expect(200, "GET", answer.headers.get("location")!)).text()).toBe("single")
  })

  test("chunks are taken in order, and the session tells how far it is", async () => {
    const location = await begin()
    const fresh = await server.expect(204, "GET", location)
    expect(fresh.headers.get("range")).toBe("0-0")
    const first = await chunk(location, "0-4", "hello")
    expect(first.status).toBe(202)
    expect(first.headers.get("range")).toBe("0-4")
    const next = first.headers.get("location")!
    expect((await chunk(next, "5-10", " world")).headers.get("range")).toBe("0-10")
    const status = await server.expect(204, "GET", next)
    expect([status.headers.get("range"), status.headers.get("location")]).toEqual(["0-10", next])
    const done = await server.expect(201, "PUT", `${next}?digest=${digestOf("hello world!")}`, {
      body: "!",
      headers: { ...octets, "Content-Range": "11-11" },
    })
    expect(await (await server.expect(200, "GET", done.headers.get("location")!)).text()).toBe("hello world!")
  })

  test("a chunk out of order is refused with 416 and where to go on", async () => {
    const location = await begin()
    expect((await chunk(location, "0-4", "hello")).status).toBe(202)
    const refused = await chunk(location, "7-9", "abc")
    expect([refused.status, refused.headers.get("range"), refused.headers.get("location")]).toEqual([
      416,
      "0-4",
      location,
    ])
    expect((await chunk(location, "0-4", "hello")).status).toBe(416)
    expect((await chunk(location, "nonsense", "hello")).status).toBe(416)
    expect((await chunk(location, "5-99", "short")).status).toBe(416)
    const end = { body: "x", headers: { ...octets, "Content-Range": "9-9" } }
    expect((await server.send("PUT", `${location}?digest=${digest}`, end)).status).toBe(416)
    expect((await server.expect(204, "GET", location)).headers.get("range")).toBe("0-4")
    await server.expect(201, "PUT", `${location}?digest=${digestOf("hello")}`)
  })

  test("a stream of unknown length is taken as one chunk", async () => {
    const location = await begin()
    const stream = new Blob(["in ", "pieces"]).stream()
    await server.expect(202, "PATCH", location, { body: stream, headers: octets })
    await server.expect(201, "PUT", `${location}?digest=${digestOf("in pieces")}`)
  })

  test("an empty blob is a blob", async () => {
    const empty = digestOf("")
    const location = await begin()
    await server.expect(201, "PUT", `${location}?digest=${empty}`)
    const answer = await server.expect(200, "GET", `/v2/${name}/blobs/${empty}`)
    expect([answer.headers.get("content-length"), await answer.text()]).toEqual(["0", ""])
  })

  test("a cancelled upload is gone", async () => {
    const location = await begin()
    await server.expect(204, "DELETE", location)
    expect(await refusal(server.send("GET", location))).toBe("404 BLOB_UPLOAD_UNKNOWN")
    expect(await refusal(server.send("DELETE", location))).toBe("404 BLOB_UPLOAD_UNKNOWN")
    expect(await refusal(server.send("PATCH", location, { body: "x" }))).toBe("404 BLOB_UPLOAD_UNKNOWN")
  })

  test("a wrong or unknown digest is refused with 400, and nothing is stored", async () => {
    for (const wrong of ["sha256:abc", "md5:d41d8cd98f00b204e9800998ecf8427e", "", `sha256:${"g".repeat(64)}`])
      expect(await refusal(server.send("PUT", `${await begin()}?digest=${wrong}`, { body: "x" }))).toBe(
        "400 DIGEST_INVALID",
      )
    const other = digestOf("never stored")
    const location = await begin()
    expect(await refusal(server.send("PUT", `${location}?digest=${other}`, { body: "x" }))).toBe("400 DIGEST_INVALID")
    expect(await refusal(server.send("GET", location))).toBe("404 BLOB_UPLOAD_UNKNOWN")
    await server.expect(404, "HEAD", `/v2/${name}/blobs/${other}`)
    const single = server.send("POST", `/v2/${name}/blobs/uploads/?digest=${other}`, { body: "x" })
    expect(await refusal(single)).toBe("400 DIGEST_INVALID")
  })

  test("sha512 is taken as well, in one request and in chunks", async () => {
    await server.pushBlob(name, bytes, sha512)
    const answer = await server.expect(200, "GET", `/v2/${name}/blobs/${sha512}`)
    expect(answer.headers.get("docker-content-digest")).toBe(sha512)
    expect(Buffer.from(await answer.arrayBuffer())).toEqual(bytes)
    for (const how of ["?digest-algorithm=sha512", ""]) {
      const { headers } = await server.expect(202, "POST", `/v2/other/blobs/uploads/${how}`)
      await server.expect(202, "PATCH", headers.get("location")!, { body: bytes })
      await server.expect(201, "PUT", `${headers.get("location")}?digest=${sha512}`)
      await server.expect(202, "DELETE", `/v2/other/blobs/${sha512}`)
    }
    const unknown = server.send("POST", `/v2/${name}/blobs/uploads/?digest-algorithm=md5`)
    expect(await refusal(unknown)).toBe("400 DIGEST_INVALID")
  })
})

describe("end-11: mounting", () => {
  test("a blob of another repository is mounted, with its name or without", async () => {
    await server.pushBlob("source", "to be mounted")
    const blob = digestOf("to be mounted")
    for (const from of ["&from=source", ""]) {
      await server.expect(404, "HEAD", `/v2/target/blobs/${blob}`)
      const answer = await server.expect(201, "POST", `/v2/target/blobs/uploads/?mount=${blob}${from}`)
      expect(answer.headers.get("location")).toBe(`/v2/target/blobs/${blob}`)
      await server.expect(200, "HEAD", `/v2/target/blobs/${blob}`)
      await server.expect(202, "DELETE", `/v2/target/blobs/${blob}`)
    }
  })

  test("what cannot be mounted begins an upload", async () => {
    const query = `mount=${digestOf("nowhere")}&from=source`
    const answer = await server.expect(202, "POST", `/v2/target/blobs/uploads/?${query}`)
    await server.expect(204, "GET", answer.headers.get("location")!)
  })
})

describe("end-2, 10: pulling and deleting blobs", () => {
  test("HEAD tells digest and size, GET sends the bytes, a missing one is 404", async () => {
    await server.pushBlob(name, bytes)
    const head = await server.expect(200, "HEAD", `/v2/${name}/blobs/${digest}`)
    expect(head.headers.get("content-length")).toBe(String(bytes.length))
    expect(head.headers.get("docker-content-digest")).toBe(digest)
    expect(await (await server.expect(200, "GET", `/v2/${name}/blobs/${digest}`)).text()).toBe(bytes.toString())
    expect(await refusal(server.send("GET", `/v2/${name}/blobs/${digestOf("no")}`))).toBe("404 BLOB_UNKNOWN")
    expect(await refusal(server.send("GET", `/v2/nobody/blobs/${digest}`))).toBe("404 BLOB_UNKNOWN")
    expect(await refusal(server.send("GET", `/v2/${name}/blobs/sha256:1`))).toBe("400 DIGEST_INVALID")
  })

  test("Range gives a part, the end, or 416; several ranges give the whole", async () => {
    await server.pushBlob(name, bytes)
    const part = async (range: string) => {
      const answer = await server.send("GET", `/v2/${name}/blobs/${digest}`, { headers: { Range: range } })
      return [answer.status, answer.headers.get("content-range"), await answer.text()]
    }
    const text = bytes.toString()
    const size = bytes.length
    expect(await part("bytes=2-5")).toEqual([206, `bytes 2-5/${size}`, "blob"])
    expect(await part("bytes=15-")).toEqual([206, `bytes 15-19/${size}`, text.slice(15)])
    expect(await part("bytes=-5")).toEqual([206, `bytes 15-19/${size}`, text.slice(-5)])
    expect(await part("bytes=18-999")).toEqual([206, `bytes 18-19/${size}`, text.slice(18)])
    expect(await part("bytes=0-1,4-5")).toEqual([200, null, text])
    expect(await part("lines=1-2")).toEqual([200, null, text])
    expect((await part("bytes=20-")).slice(0, 2)).toEqual([416, `bytes */${size}`])
    const head = await server.send("HEAD", `/v2/${name}/blobs/${digest}`, { headers: { Range: "bytes=0-3" } })
    expect([head.status, head.headers.get("content-length")]).toEqual([206, "4"])
  })

  test("a deleted blob is gone from its repository, and from no other", async () => {
    await server.pushBlob("one", "shared")
    await server.pushBlob("two", "shared")
    const shared = digestOf("shared")
    await server.expect(202, "DELETE", `/v2/one/blobs/${shared}`)
    await server.expect(404, "HEAD", `/v2/one/blobs/${shared}`)
    expect(await refusal(server.send("DELETE", `/v2/one/blobs/${shared}`))).toBe("404 BLOB_UNKNOWN")
    expect(await (await server.expect(200, "GET", `/v2/two/blobs/${shared}`)).text()).toBe("shared")
  })
})

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

describe("end-8: tags", () => {
  test("tags come in order, page by page, with a Link to the next", async () => {
    const tags = ["v1", "V2", "a.b", "_x", "latest", "0"].sort()
    for (const tag of tags) await server.pushImage("paged", tag, "the same")
    const list = async (path: string) => {
      const answer = await server.expect(200, "GET", path)
      return { ...((await answer.json()) as { name: string; tags: string[] }), link: answer.headers.get("link") }
    }
    expect(await list("/v2/paged/tags/list")).toEqual({ name: "paged", tags, link: null })
    expect((await list("/v2/paged/tags/list?n=0")).tags).toEqual([])
    expect((await list("/v2/paged/tags/list?n=0")).link).toBeNull()
    expect((await list(`/v2/paged/tags/list?last=${tags[3]}`)).tags).toEqual(tags.slice(4))
    expect((await list("/v2/paged/tags/list?n=nonsense")).tags).toEqual(tags)
    const seen: string[] = []
    for (let path: string | undefined = "/v2/paged/tags/list?n=4"; path !== undefined; ) {
      const page = await list(path)
      seen.push(...page.tags)
      path = /^<(.+)>; rel="next"$/.exec(page.link ?? "")?.[1]
    }
    expect(seen).toEqual(tags)
    expect(await refusal(server.send("GET", "/v2/nobody/tags/list"))).toBe("404 NAME_UNKNOWN")
  })

  test("many thousand tags come in pages of ten thousand", async () => {
    const { digest: own } = await server.pushImage("crowded", "t00000")
    const { database } = server.fixture
    const insert = database.query<never, { tag: string; digest: string }>(
      "INSERT INTO registry_tags VALUES ('crowded', $tag, $digest, 1, 1, NULL)",
    )
    database.transaction(() => {
      for (let at = 1; at < 25_000; at++) insert.run({ tag: `t${String(at).padStart(5, "0")}`, digest: own })
    })
    const sizes: number[] = []
    for (let path: string | undefined = "/v2/crowded/tags/list?n=999999"; path !== undefined; ) {
      const answer = await server.expect(200, "GET", path)
      sizes.push(((await answer.json()) as { tags: string[] }).tags.length)
      path = /^<(.+)>; rel="next"$/.exec(answer.headers.get("link") ?? "")?.[1]
    }
    expect(sizes).toEqual([10_000, 10_000, 5_000])
  })

  test("_catalog lists repositories page by page", async () => {
    const all = ((await (await server.expect(200, "GET", "/v2/_catalog")).json()) as { repositories: string[] })
      .repositories
    expect(all).toContain("paged")
    expect(all).toEqual([...all].sort())
    const page = await server.expect(200, "GET", "/v2/_catalog?n=1")
    expect(await page.json()).toEqual({ repositories: all.slice(0, 1) })
    expect(page.headers.get("link")).toBe(`</v2/_catalog?n=1&last=${encodeURIComponent(all[0]!)}>; rel="next"`)
  })
})

describe("end-12: referrers", () => {
  const artifact = async (subject: object, more: object = {}) => {
    const config = { ...(await server.pushBlob("signed", "{}")), mediaType: OCI_EMPTY }
    const layer = await server.pushBlob("signed", `signature ${JSON.stringify(more)}`)
    return { schemaVersion: 2, mediaType: OCI_MANIFEST, config, layers: [layer], subject, ...more }
  }
  const referrers = async (digest: string, query = "") => {
    const answer = await server.expect(200, "GET", `/v2/signed/referrers/${digest}${query}`)
    const { manifests, mediaType } = (await answer.json()) as { manifests: object[]; mediaType: string }
    expect([mediaType, answer.headers.get("content-type")]).toEqual([OCI_INDEX, OCI_INDEX])
    return { manifests, filters: answer.headers.get("oci-filters-applied") }
  }

  test("an artifact about a manifest is told of, with type and annotations, and filtered", async () => {
    const image = await server.pushImage("signed", "1")
    const annotations = { "org.example.key": "value" }
    const put = async (document: object): Promise<string | null> => {
      const body = JSON.stringify(document)
      const answer = await server.expect(201, "PUT", `/v2/signed/manifests/${digestOf(body)}`, {
        body,
        headers: { "Content-Type": OCI_MANIFEST },
      })
      return answer.headers.get("oci-subject")
    }
    const signature = await artifact(image, { artifactType: "application/vnd.example.signature", annotations })
    const nameless = await artifact(image)
    expect(await put(signature)).toBe(image.digest)
    expect(await put(nameless)).toBe(image.digest)
    const { manifests } = await referrers(image.digest)
    const shown = (document: object, more: object) => {
      const body = JSON.stringify(document)
      return { mediaType: OCI_MANIFEST, digest: digestOf(body), size: body.length, ...more }
    }
    const first = shown(signature, { artifactType: "application/vnd.example.signature", annotations })
    expect(manifests).toContainEqual(first)
    expect(manifests).toContainEqual(shown(nameless, { artifactType: OCI_EMPTY }))
    expect(manifests).toHaveLength(2)
    expect(await referrers(image.digest, "?artifactType=application/vnd.example.signature")).toEqual({
      manifests: [first],
      filters: "artifactType",
    })
    await server.expect(202, "DELETE", `/v2/signed/manifests/${first.digest}`)
    expect((await referrers(image.digest)).manifests).toHaveLength(1)
  })

  test("the subject need not be here, and an index may have one too", async () => {
    const missing = { mediaType: OCI_MANIFEST, digest: digestOf("later"), size: 5 }
    const index = { schemaVersion: 2, mediaType: OCI_INDEX, manifests: [], subject: missing, annotations: { a: "b" } }
    const pushed = await server.pushManifest("signed", "", index, OCI_INDEX)
    expect((await referrers(missing.digest)).manifests).toEqual([{ ...pushed, annotations: { a: "b" } }])
  })

  test("nothing about a manifest is an empty list, never 404; a digest that is none is 400", async () => {
    expect((await referrers(digestOf("nobody refers"))).manifests).toEqual([])
    await server.expect(200, "GET", `/v2/never-was/referrers/${digest}`)
    expect(await refusal(server.send("GET", "/v2/signed/referrers/latest"))).toBe("400 DIGEST_INVALID")
  })

  test("a list too long for one answer goes on in the next", async () => {
    const subject = { mediaType: OCI_MANIFEST, digest: digestOf("popular"), size: 5 }
    const digests: string[] = []
    for (let at = 0; at < 5; at++) {
      const annotations = { text: String(at).repeat(1 << 20) }
      const index = { schemaVersion: 2, mediaType: OCI_INDEX, manifests: [], subject, annotations }
      digests.push((await server.pushManifest("signed", "", index, OCI_INDEX)).digest)
    }
    const seen: string[] = []
    let pages = 0
    for (let path: string | undefined = `/v2/signed/referrers/${subject.digest}`; path !== undefined; pages++) {
      const answer = await server.expect(200, "GET", path)
      seen.push(...((await answer.json()) as { manifests: { digest: string }[] }).manifests.map((one) => one.digest))
      path = /^<(.+)>; rel="next"$/.exec(answer.headers.get("link") ?? "")?.[1]
    }
    expect(pages).toBeGreaterThan(1)
    expect(seen.sort()).toEqual(digests.sort())
  })
})

describe("names, methods and errors", () => {
  test("a name that is none is refused with 400", async () => {
    for (const bad of ["UPPER", "a//b", "-a", "a..b", "a/_b", "a%2f%2e%2e%2fb", "x".repeat(256)])
      expect([bad, await refusal(server.send("POST", `/v2/${bad}/blobs/uploads/`))]).toEqual([bad, "400 NAME_INVALID"])
    expect(await refusal(server.send("GET", "/v2/a/manifests/.bad"))).toBe("404 MANIFEST_UNKNOWN")
    expect(await refusal(server.send("GET", `/v2/a/manifests/${"t".repeat(129)}`))).toBe("404 MANIFEST_UNKNOWN")
  })

  test("a method that a path does not have is 405, a path that is none 404", async () => {
    const answer = await server.send("POST", "/v2/a/manifests/1")
    expect([answer.status, answer.headers.get("allow")]).toEqual([405, "GET, HEAD, PUT, DELETE"])
    expect((await server.send("GET", "/v2/a/b/c")).status).toBe(404)
    expect((await server.send("GET", "/")).status).toBe(404)
  })
})
