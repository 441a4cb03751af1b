import { afterEach, expect, test } from "bun:test"
import { mkdtempSync, rmSync } from "node:fs"
import { createServer, type Server, type Socket } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { resolveAddress } from "./address.ts"
import { Client, connect, formatQuery, readText } from "./client.ts"

const directory = mkdtempSync(join(tmpdir(), "dhow-client-"))
let server: Server | undefined
let connections = 0

afterEach(() => {
  server?.close()
  server = undefined
})

process.on("exit", () => rmSync(directory, { recursive: true, force: true }))

/** Serves each request with what `answer` writes; requests without a body of unknown length. */
async function serve(answer: (socket: Socket, request: string) => void): Promise<Client> {
  const path = join(directory, `${Math.random().toString(36).slice(2)}.sock`)
  connections = 0
  server = createServer({ allowHalfOpen: true }, (socket) => {
    connections++
    let seen = ""
    socket.on("data", (chunk) => {
      seen += chunk.toString("latin1")
      const end = seen.indexOf("\r\n\r\n")
      const length = Number(/content-length: (\d+)/i.exec(seen)?.[1] ?? 0)
      if (end < 0 || seen.length < end + 4 + length) return
      const request = seen
      seen = ""
      answer(socket, request)
    })
    socket.on("error", () => {})
  })
  await new Promise<void>((resolve) => server!.listen(path, resolve))
  return new Client(resolveAddress(`unix://${path}`))
}

test("Client.json() reads bodies by length, and keeps the connection", async () => {
  const client = await serve((socket) => socket.write("HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n[1,2,3]"))
  expect(await client.json<number[]>("GET", "/a")).toEqual([1, 2, 3])
  expect(await client.json<number[]>("GET", "/b")).toEqual([1, 2, 3])
  expect(connections).toBe(1)
})

test("Client.json() reads chunked bodies, however they are cut", async () => {
  const text = `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n{"a\r\n8;x=y\r\n": "bc"}\r\n0\r\n\r\n`
  const client = await serve(async (socket) => {
    for (const character of text) {
      socket.write(character)
      await new Promise(setImmediate)
    }
  })
  expect(await client.json<unknown>("GET", "/")).toEqual({ a: "bc" })
  expect(await client.json<unknown>("GET", "/")).toEqual({ a: "bc" })
  expect(connections).toBe(1)
})

test("Client.request() opens a new connection when the kept one was closed", async () => {
  const client = await serve((socket) => socket.end("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"))
  await client.json("GET", "/")
  await client.json("GET", "/")
  expect(connections).toBe(2)
})

test("Client.call() gives the status of an answer without content", async () => {
  const client = await serve((socket) => socket.write("HTTP/1.1 304 Not Modified\r\n\r\n"))
  expect(await client.call("POST", "/containers/x/start")).toBe(304)
})

test("Client.request() throws what the daemon reports", async () => {
  const body = JSON.stringify({ message: "No such container: x", hint: "See dhow ps -a" })
  const client = await serve((socket, request) =>
    socket.write(
      request.startsWith("GET /text")
        ? "HTTP/1.1 500 Oops\r\nContent-Length: 6\r\n\r\nbroken"
        : `HTTP/1.1 404 Not Found\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    ),
  )
  await expect(client.json("GET", "/x")).rejects.toMatchObject({
    kind: "not-found",
    message: "No such container: x",
    hint: "See dhow ps -a",
  })
  await expect(client.json("GET", "/text")).rejects.toMatchObject({ kind: "internal", message: "broken" })
})

test("Client.request() refuses what is not HTTP", async () => {
  const client = await serve((socket) => socket.write("SSH-2.0-nonsense\r\n\r\n"))
  await expect(client.json("GET", "/")).rejects.toMatchObject({ kind: "unavailable" })
})

test("Client.request() sends a body of unknown length in chunks", async () => {
  let seen = ""
  const client = await serve(() => {})
  server!.on("connection", (socket: Socket) =>
    socket.on("data", (chunk) => {
      seen += chunk.toString("latin1")
      if (seen.endsWith("0\r\n\r\n")) socket.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
    }),
  )
  async function* body(): AsyncGenerator<Uint8Array> {
    yield Buffer.from("hello")
    yield Buffer.alloc(300_000, "x")
  }
  const answer = await client.request("POST", "/images/load", { body: body() })
  expect(await readText(answer.body)).toBe("{}")
  expect(seen).toContain("Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n493e0\r\nxxx")
})

test("Client.hijack() gives the stream after the head, and ends its own side alone", async () => {
  const client = await serve((socket, request) => {
    expect(request).toContain("Upgrade: tcp")
    socket.write("HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\nfirst")
    socket.removeAllListeners("data")
    let input = ""
    socket.on("data", (chunk) => {
      input += chunk.toString()
    })
    socket.on("end", () => socket.end(`got ${input}`))
  })
  const { stream } = await client.hijack("/containers/x/attach", { query: { stream: true } })
  expect(Buffer.from((await stream.read())!).toString()).toBe("first")
  await stream.write(Buffer.from("typed"))
  stream.endWriting()
  expect(Buffer.from((await stream.read())!).toString()).toBe("got typed")
  expect(await stream.read()).toBeUndefined()
})

test("connect() says where nobody listens, and what to do", async () => {
  const address = resolveAddress(`unix://${directory}/absent.sock`)
  await expect(connect(address)).rejects.toMatchObject({
    message: `Cannot connect to the daemon at "${address.host}"`,
    hint: `Is it running? Start it with: dhow daemon -H ${address.host}`,
  })
})

test("resolveAddress() takes the flag, then DHOW_HOST, then the user's own socket", () => {
  expect(resolveAddress("unix:///a", { DHOW_HOST: "unix:///b" }).path).toBe("/a")
  expect(resolveAddress(undefined, { DHOW_HOST: "unix:///b" })).toMatchObject({ path: "/b", isDefault: false })
  expect(resolveAddress(undefined, {}).isDefault).toBe(true)
  expect(() => resolveAddress("tcp://1.2.3.4:2375", {})).toThrow("is not supported")
})

test("formatQuery() leaves out what is not set", () => {
  expect(formatQuery({ a: undefined, b: false, c: "", d: true, e: 0, f: "x/y z", g: ["1", "2"] })).toBe(
    "?d=1&e=0&f=x%2Fy%20z&g=1&g=2",
  )
})
