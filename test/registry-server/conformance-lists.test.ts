// The points of the OCI distribution-spec 1.1 as raw requests (docs/registry.md lists them). Lists of tags,
// repositories and referrers; and what is refused before anything is looked at.
import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import { digestOf } from "../../src/oci/digest.ts"
import { OCI_EMPTY, OCI_INDEX, OCI_MANIFEST, refusal, TestServer } from "./fixture.ts"

let server: TestServer
const bytes = Buffer.from("a blob of some bytes")
const digest = digestOf(bytes)

beforeAll(() => {
  server = new TestServer()
})
afterAll(() => server[Symbol.dispose]())

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
