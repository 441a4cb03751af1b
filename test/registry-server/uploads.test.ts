// Uploads that do not go as they should: interrupted, repeated, at the same time, too long, or by somebody who lies.
import { afterEach, beforeEach, expect, test } from "bun:test"
import { mkdtempSync, readdirSync, rmdirSync } from "node:fs"
import { connect } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { digestOf } from "../../src/oci/digest.ts"
import { openFixture } from "../images/fixture.ts"
import { refusal, TestServer, uploadsOf } from "./fixture.ts"

let server: TestServer
beforeEach(() => {
  server = new TestServer()
})
afterEach(() => server[Symbol.dispose]())

const begin = async (): Promise<string> =>
  (await server.expect(202, "POST", "/v2/a/blobs/uploads/")).headers.get("location")!
const rangeOf = async (location: string): Promise<string | null> =>
  (await server.expect(204, "GET", location)).headers.get("range")

/** Sends bytes as they are; resolves with what comes back until the server closes, or `isOver` says enough. */
function raw(text: string, options: { readonly closeAfter?: number } = {}): Promise<string> {
  const [hostname, port] = server.host.split(":")
  return new Promise((resolve, reject) => {
    let said = ""
    const socket = connect(Number(port), hostname!, () => {
      socket.write(text)
      if (options.closeAfter !== undefined) setTimeout(() => socket.destroy(), options.closeAfter)
    })
    socket.on("data", (data) => {
      said += data.toString()
    })
    socket.on("close", () => resolve(said))
    socket.on("error", reject)
  })
}

test("what arrived of a chunk that broke off stays, and the upload goes on behind it", async () => {
  const location = await begin()
  const head = `PATCH ${location} HTTP/1.1\r\nHost: ${server.host}\r\nContent-Length: 100\r\n\r\n`
  await raw(`${head}0123456789`, { closeAfter: 100 })
  while ((await rangeOf(location)) === "0-0") await Bun.sleep(5)
  expect(await rangeOf(location)).toBe("0-9")
  const answer = await server.send("PATCH", location, { body: "abc", headers: { "Content-Range": "10-12" } })
  expect([answer.status, answer.headers.get("range")]).toEqual([202, "0-12"])
  await server.expect(201, "PUT", `${location}?digest=${digestOf("0123456789abc")}`)
})

test("an upload goes on after a restart, whatever was hashed before", async () => {
  const location = await begin()
  await server.expect(202, "PATCH", location, { body: "before, " })
  server.listeners.dispose()
  // Another process over the same root.
  const again = new TestServer({}, openFixture(server.fixture.root))
  try {
    const status = await again.expect(204, "GET", location)
    expect(status.headers.get("range")).toBe("0-7")
    await again.expect(202, "PATCH", location, { body: "after", headers: { "Content-Range": "8-12" } })
    await again.expect(201, "PUT", `${location}?digest=${digestOf("before, after")}`)
    expect(await (await again.expect(200, "GET", `/v2/a/blobs/${digestOf("before, after")}`)).text()).toBe(
      "before, after",
    )
    expect(readdirSync(uploadsOf(again))).toEqual([])
  } finally {
    again.listeners.dispose()
    again.fixture.database.close()
  }
})

test("an upload of one repository is none of another's", async () => {
  const other = (await begin()).replace("/v2/a/", "/v2/b/")
  expect(await refusal(server.send("PATCH", other, { body: "x" }))).toBe("404 BLOB_UPLOAD_UNKNOWN")
  for (const id of ["..%2f..%2fdhow.db", "%00", "a".repeat(32), "A".repeat(500)])
    expect(await refusal(server.send("GET", `/v2/a/blobs/uploads/${id}`))).toBe("404 BLOB_UPLOAD_UNKNOWN")
})

test("two writers of one upload do not mix: the second is refused", async () => {
  const location = await begin()
  const { promise, resolve } = Promise.withResolvers<void>()
  const slow = new ReadableStream<Uint8Array>({
    async pull(controller) {
      controller.enqueue(Buffer.from("first"))
      await promise
      controller.close()
    },
  })
  const first = server.send("PATCH", location, { body: slow })
  while ((await rangeOf(location)) === "0-0") await Bun.sleep(2)
  expect((await server.send("PATCH", location, { body: "second" })).status).toBe(409)
  expect((await server.send("PUT", `${location}?digest=${digestOf("x")}`)).status).toBe(409)
  expect((await server.send("DELETE", location)).status).toBe(409)
  resolve()
  expect((await first).status).toBe(202)
  await server.expect(201, "PUT", `${location}?digest=${digestOf("first")}`)
})

test("one blob pushed by many at once is stored once", async () => {
  const bytes = Buffer.alloc(2_000_000, "same bytes ")
  await Promise.all(Array.from({ length: 12 }, (_, at) => server.pushBlob(`r${at % 3}`, bytes)))
  expect(readdirSync(`${server.fixture.root}/content/sha256`)).toEqual([digestOf(bytes).slice(7)])
  expect(readdirSync(uploadsOf(server))).toEqual([])
  const got = await server.expect(200, "GET", `/v2/r0/blobs/${digestOf(bytes)}`)
  expect(digestOf(new Uint8Array(await got.arrayBuffer()))).toBe(digestOf(bytes))
})

test("uploads that nobody ends are bounded in number", async () => {
  for (let at = 0; at < 1000; at++) await begin()
  const answer = await server.send("POST", "/v2/a/blobs/uploads/")
  expect(answer.headers.get("retry-after")).toBe("60")
  expect(await refusal(answer)).toBe("429 TOOMANYREQUESTS")
}, 30_000)

test("a blob that the disk cannot take is refused, and the registry goes on", async () => {
  const root = mkdtempSync(join(tmpdir(), "dhow-full-"))
  expect(Bun.spawnSync(["mount", "-t", "tmpfs", "-o", "size=12m", "tmpfs", root]).exitCode).toBe(0)
  const small = new TestServer({}, openFixture(root))
  try {
    const large = Buffer.alloc(16 << 20, "too large ")
    const put = () => small.send("POST", `/v2/a/blobs/uploads/?digest=${digestOf(large)}`, { body: large })
    expect(await refusal(put())).toBe("413 SIZE_INVALID")
    // Each of these fits, and not all of them.
    const some = Array.from({ length: 4 }, (_, at) => Buffer.alloc(5 << 20, `part ${at} `))
    const pushed = some.map(async (body) => {
      const answer = await small.send("POST", `/v2/a/blobs/uploads/?digest=${digestOf(body)}`, { body })
      return answer.status
    })
    const statuses = await Promise.all(pushed)
    expect(statuses.filter((status) => status !== 201 && status !== 413 && status !== 507)).toEqual([])
    expect(statuses.filter((status) => status !== 201).length).toBeGreaterThan(0)
    expect(readdirSync(uploadsOf(small))).toEqual([])
    await small.registry.gc({ grace: 0 })
    await small.pushImage("a", "1")
  } finally {
    small.listeners.dispose()
    small.fixture.database.close()
    expect(Bun.spawnSync(["umount", root]).exitCode).toBe(0)
    rmdirSync(root)
  }
})

test("a blob that is deleted while it is pulled arrives whole", async () => {
  const bytes = Buffer.alloc(30_000_000, "many bytes ")
  const { digest } = await server.pushBlob("a", bytes)
  const answer = await server.expect(200, "GET", `/v2/a/blobs/${digest}`)
  const reader = answer.body!.getReader()
  const hasher = new Bun.CryptoHasher("sha256").update((await reader.read()).value!)
  await server.expect(202, "DELETE", `/v2/a/blobs/${digest}`)
  await server.registry.gc({ grace: 0 })
  expect(server.fixture.content.has(digestOf(bytes))).toBe(false)
  for (let next = await reader.read(); !next.done; next = await reader.read()) hasher.update(next.value)
  expect(`sha256:${hasher.digest("hex")}`).toBe(digest)
})

test("requests that are no HTTP, or never end, cost nothing that lasts", async () => {
  expect(await raw("\x16\x03\x01 not http\r\n\r\n")).toMatch(/^(HTTP\/1.1 400|$)/)
  expect(await raw(`GET /v2/ HTTP/1.1\r\nHost: x\r\nX: ${"y".repeat(100_000)}\r\n\r\n`)).toMatch(/^(HTTP\/1.1 4|$)/)
  const both = "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
  expect(await raw(`POST /v2/a/blobs/uploads/ HTTP/1.1\r\nHost: x\r\n${both}`, { closeAfter: 300 })).not.toContain(
    " 201 ",
  )
  await server.expect(200, "GET", "/v2/")
})

test("a path that climbs stays a path of the registry", async () => {
  for (const path of ["/v2/../../etc/passwd", "/v2/a/blobs/..%2f..%2f..%2fetc%2fpasswd", "/v2/a/manifests/..%2fx"]) {
    const said = await raw(`GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`)
    expect(said).toMatch(/^HTTP\/1.1 40[04]/)
    expect(said).not.toContain("root:")
  }
})
