// The API without any library: HTTP/1.0, no version prefix, no Host header, no Upgrade; as HTCondor's starter and small
// scripts speak it.
import { beforeAll, expect, test } from "bun:test"
import { connect, type Socket } from "node:net"
import { testEngine } from "../support/fixture.ts"

const engine = testEngine()

beforeAll(async () => {
  await engine.must("POST", "/containers/create?name=box", { Image: "bb", Cmd: ["sleep", "600"] })
  await engine.must("POST", "/containers/box/start")
})

/** Sends a request and reads until the server closes. */
async function raw(request: string, then?: (socket: Socket) => void): Promise<{ head: string; body: Buffer }> {
  const chunks: Buffer[] = []
  const socket = connect({ path: engine.socket, allowHalfOpen: true })
  socket.write(request)
  then?.(socket)
  socket.setTimeout(10_000, () => socket.destroy(new Error(`No end of the answer to ${request}`)))
  for await (const chunk of socket) chunks.push(chunk as Buffer)
  socket.end()
  const all = Buffer.concat(chunks)
  const at = all.indexOf("\r\n\r\n")
  return { head: all.subarray(0, at).toString(), body: all.subarray(at + 4) }
}

function json(path: string, body: unknown, ...headers: string[]): string {
  const text = JSON.stringify(body)
  return [
    `POST ${path} HTTP/1.1`,
    "Host: docker",
    "Content-Type: application/json",
    `Content-Length: ${Buffer.byteLength(text)}`,
    ...headers,
    "",
    text,
  ].join("\r\n")
}

/** The frames of a multiplexed stream, joined by stream. */
function frames(body: Buffer): Record<number, string> {
  const found: Record<number, string> = {}
  for (let at = 0; at + 8 <= body.length; ) {
    const size = body.readUInt32BE(at + 4)
    const stream = body[at]!
    found[stream] = (found[stream] ?? "") + body.subarray(at + 8, at + 8 + size).toString()
    at += 8 + size
  }
  return found
}

test.each(["/_ping", "/info", "/containers/json", "/containers/box/json", "/version", "/images/json"])(
  "HTTP/1.0 GET %s is answered whole, not chunked, and the connection is closed",
  async (path) => {
    const { head, body } = await raw(`GET ${path} HTTP/1.0\r\n\r\n`)
    expect(head).toMatch(/^HTTP\/1\.[01] 200 OK/)
    expect(head.toLowerCase()).not.toContain("transfer-encoding")
    if (path === "/_ping") expect(body.toString()).toBe("OK")
    else expect(() => JSON.parse(body.toString())).not.toThrow()
    expect(body.toString()).not.toContain("\n  ")
  },
)

test("HTTP/1.0 streams end with the connection", async () => {
  const { head, body } = await raw("GET /events?since=0&until=1 HTTP/1.0\r\n\r\n")
  expect(head).toMatch(/^HTTP\/1\.[01] 200 OK/)
  expect(head.toLowerCase()).not.toContain("transfer-encoding")
  expect(body.toString()).toBe("")
})

test("an unknown route answers in JSON, a version from before it in plain text", async () => {
  const { head, body } = await raw("GET /no/such HTTP/1.0\r\n\r\n")
  expect(head).toMatch(/^HTTP\/1\.[01] 404/)
  expect(JSON.parse(body.toString())).toEqual({ message: "page not found" })
  const old = await raw("GET /v1.5/info HTTP/1.0\r\n\r\n")
  expect(old.head).toMatch(/ 400 /)
  expect(old.body.toString()).toBe(
    "client version 1.5 is too old. Minimum supported API version is 1.24, please upgrade your client to a newer version\n",
  )
})

test("an exec without an Upgrade header is a raw stream with half-close", async () => {
  const { Id } = await engine.must<{ Id: string }>("POST", "/containers/box/exec", {
    Cmd: ["sh", "-c", "cat; echo err >&2"],
    AttachStdin: true,
    AttachStdout: true,
    AttachStderr: true,
  })
  const { head, body } = await raw(json(`/exec/${Id}/start`, { Detach: false, Tty: false }), (socket) => {
    socket.end("from the client\n")
  })
  expect(head).toMatch(/^HTTP\/1\.1 200 OK/)
  expect(head).toContain("application/vnd.docker.raw-stream")
  expect(frames(body)).toEqual({ 1: "from the client\n", 2: "err\n" })
})

test("an exec with an Upgrade header is answered with 101", async () => {
  const { Id } = await engine.must<{ Id: string }>("POST", "/containers/box/exec", {
    Cmd: ["cat"],
    AttachStdin: true,
    AttachStdout: true,
  })
  const start = json(`/exec/${Id}/start`, {}, "Connection: Upgrade", "Upgrade: tcp")
  const { head, body } = await raw(start, (socket) => socket.end("x\n"))
  expect(head).toMatch(/^HTTP\/1\.1 101 /)
  expect(head).toMatch(/Upgrade: tcp/i)
  expect(frames(body)).toEqual({ 1: "x\n" })
})

test("attach of a container with a terminal is unframed, over HTTP/1.0 too", async () => {
  await engine.must("POST", "/containers/create?name=tty", { Image: "bb", Cmd: ["echo", "hi"], Tty: true })
  const attached = raw("POST /containers/tty/attach?stdout=1&stream=1 HTTP/1.0\r\nContent-Length: 0\r\n\r\n")
  // Attached before it starts: the events tell.
  const events = await fetch("http://dhow/events?filters=%7B%22event%22%3A%5B%22attach%22%5D%7D&since=0", {
    unix: engine.socket,
  })
  await events.body!.getReader().read()
  await engine.must("POST", "/containers/tty/start")
  const { head, body } = await attached
  expect(head).toMatch(/^HTTP\/1\.[01] 200 OK/)
  expect(body.toString()).toBe("hi\r\n")
  await engine.must("DELETE", "/containers/tty")
})

test("several requests go over one connection", async () => {
  const request = "GET /_ping HTTP/1.1\r\nHost: x\r\n\r\n"
  const { head, body } = await raw(request + request + request.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n"))
  expect(`${head}${body}`.match(/HTTP\/1\.1 200 OK/g)).toHaveLength(3)
})
