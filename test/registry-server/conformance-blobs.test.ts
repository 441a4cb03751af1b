// The points of the OCI distribution-spec 1.1 as raw requests (docs/registry.md lists them). Blobs: pushed in every way,
// mounted, pulled whole and in part, deleted.
import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import { digestOf } from "../../src/oci/digest.ts"
import { refusal, TestServer } from "./fixture.ts"

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
