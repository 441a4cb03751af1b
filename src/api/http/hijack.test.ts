import { describe, expect, test } from "bun:test"
import type { Handler, RawStream } from "./reply.ts"
import { startServer } from "./test-client.ts"

const contentType = { upgraded: "test/upgraded", plain: "test/plain" }

/** Sends back what comes, says "bye" at the client's half-close, then ends. Reads `json` bytes of a body first. */
function echoRaw(options: { json?: boolean } = {}): Handler {
  return async (request) => {
    if (options.json === true) await request.body.read()
    return {
      kind: "hijack",
      contentType,
      take(raw) {
        raw.write(Buffer.from("hello;"))
        raw.readInto({
          write: (chunk) => raw.write(chunk),
          drained: () => raw.drained(),
          end() {
            raw.write(Buffer.from(";bye"))
            raw.end()
          },
        })
      },
    }
  }
}

const UPGRADE = "Connection: Upgrade\r\nUpgrade: tcp\r\n"

describe("a connection taken over", () => {
  test("answers 101 to a client that asks for an upgrade", async () => {
    await using server = await startServer(echoRaw())
    const answer = await server.exchange(`POST /attach HTTP/1.1\r\n${UPGRADE}Content-Length: 0\r\n\r\ninput`)
    expect(answer).toStartWith("HTTP/1.1 101 UPGRADED\r\n")
    expect(answer).toContain("Content-Type: test/upgraded\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n")
    expect(answer).toEndWith("\r\n\r\nhello;input;bye")
  })

  test("answers 200 with a stream that the close ends to one that does not", async () => {
    await using server = await startServer(echoRaw())
    const answer = await server.exchange("POST /attach HTTP/1.1\r\n\r\ninput")
    expect(answer).toStartWith("HTTP/1.1 200 OK\r\n")
    expect(answer).toContain("Content-Type: test/plain\r\n")
    expect(answer).not.toContain("Transfer-Encoding")
    expect(answer).toEndWith("\r\n\r\nhello;input;bye")
  })

  test("takes a body first, and what lies behind it as input", async () => {
    await using server = await startServer(echoRaw({ json: true }))
    const answer = await server.exchange(`POST /start HTTP/1.1\r\n${UPGRADE}Content-Length: 2\r\n\r\n{}input`)
    expect(answer).toEndWith("hello;input;bye")
  })

  test("takes a chunked body left open as input, to its end", async () => {
    await using server = await startServer(echoRaw())
    using client = await server.connect()
    client.send("POST /attach HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n")
    await client.until("hello;one")
    client.send("3\r\ntwo\r\n0\r\n\r\n")
    expect(await client.rest()).toBe("two;bye")
  })

  test("goes on as a raw stream behind a chunked body that was read", async () => {
    await using server = await startServer(echoRaw({ json: true }))
    const answer = await server.exchange(
      "POST /start HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\ninput",
    )
    expect(answer).toEndWith("hello;input;bye")
  })

  test("keeps sending after the client's half-close", async () => {
    let raw: RawStream | undefined
    const inputEnded = Promise.withResolvers<void>()
    await using server = await startServer(() => ({
      kind: "hijack",
      contentType,
      take(stream) {
        raw = stream
        raw.readInto({ write: () => true, drained: async () => {}, end: () => inputEnded.resolve() })
      },
    }))
    using client = await server.connect()
    client.socket.end(`POST / HTTP/1.1\r\n${UPGRADE}\r\n`)
    await client.until("\r\n\r\n")
    await inputEnded.promise
    await Bun.sleep(20)
    expect(raw?.signal.aborted).toBe(false)
    raw?.write(Buffer.from("still here"))
    raw?.end()
    expect(await client.rest()).toBe("still here")
  })

  test("aborts its signal when the client is gone", async () => {
    const gone = Promise.withResolvers<void>()
    await using server = await startServer(() => ({
      kind: "hijack",
      contentType,
      take(raw) {
        raw.signal.addEventListener("abort", () => gone.resolve())
        raw.readInto({ write: () => true, drained: async () => {}, end() {} })
      },
    }))
    using client = await server.connect()
    client.send(`POST / HTTP/1.1\r\n${UPGRADE}\r\n`)
    await client.until("\r\n\r\n")
    client.socket.destroy()
    await gone.promise
  })

  test("stops the client while the reader is full, and loses nothing", async () => {
    const go = Promise.withResolvers<void>()
    const done = Promise.withResolvers<void>()
    let total = 0
    await using server = await startServer(() => ({
      kind: "hijack",
      contentType,
      take(raw) {
        raw.readInto({
          write(chunk) {
            total += chunk.length
            return false
          },
          drained: () => go.promise,
          end: () => done.resolve(),
        })
      },
    }))
    using client = await server.connect()
    const size = 16 * 1024 * 1024
    client.send(`POST / HTTP/1.1\r\n${UPGRADE}\r\n`)
    await client.until("\r\n\r\n")
    client.socket.end(Buffer.alloc(size))
    await Bun.sleep(50)
    expect(total).toBeLessThan(2 * 1024 * 1024)
    go.resolve()
    await done.promise
    expect(total).toBe(size)
  })

  test("flushes everything before it closes, to a client that reads late", async () => {
    const size = 8 * 1024 * 1024
    await using server = await startServer(() => ({
      kind: "hijack",
      contentType,
      take(raw) {
        raw.readInto({ write: () => true, drained: async () => {}, end() {} })
        raw.write(Buffer.alloc(size, "x"))
        raw.end()
      },
    }))
    using client = await server.connect()
    client.socket.pause()
    client.send(`POST / HTTP/1.1\r\n${UPGRADE}\r\nunread input`)
    await Bun.sleep(30)
    client.socket.resume()
    const answer = await client.rest()
    expect(answer.length - answer.indexOf("\r\n\r\n") - 4).toBe(size)
  })
})
