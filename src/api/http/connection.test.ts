import { describe, expect, test } from "bun:test"
import { empty, type Handler, type HttpRequest, json, type Reply, streamed } from "./reply.ts"
import { startServer } from "./test-client.ts"

/** Answers with what it was asked. */
const echo: Handler = async (request) => {
  const body = Buffer.from(await request.body.bytes(1 << 20)).toString()
  return { kind: "whole", status: 200, body: `${request.method} ${request.path} ${body}|` }
}
const withoutDate = (text: string): string => text.replace(/Date: [^\r]*\r\n/g, "")

describe("a connection", () => {
  test("answers pipelined requests in order, bodies apart from heads", async () => {
    await using server = await startServer(echo)
    const answer = await server.exchange(
      "POST /1 HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc" +
        "GET /2 HTTP/1.1\r\n\r\n" +
        "POST /3 HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nde\r\n0\r\n\r\n" +
        "GET /4 HTTP/1.1\r\n\r\n",
    )
    expect(answer.match(/(GET|POST) [^|]*\|/g)).toEqual(["POST /1 abc|", "GET /2 |", "POST /3 de|", "GET /4 |"])
  })

  test("answers the next request only when the one before is answered", async () => {
    const order: string[] = []
    const first = Promise.withResolvers<void>()
    await using server = await startServer(async (request) => {
      order.push(`begin ${request.path}`)
      if (request.path === "/slow") await first.promise
      order.push(`end ${request.path}`)
      return empty(204)
    })
    using client = await server.connect()
    client.send("GET /slow HTTP/1.1\r\n\r\nGET /fast HTTP/1.1\r\n\r\n")
    await Bun.sleep(20)
    expect(order).toEqual(["begin /slow"])
    first.resolve()
    await client.until("204")
    await client.until("204")
    expect(order).toEqual(["begin /slow", "end /slow", "begin /fast", "end /fast"])
  })

  test("reads a request that comes byte by byte", async () => {
    await using server = await startServer(echo)
    using client = await server.connect()
    for (const byte of "POST /x HTTP/1.1\r\nContent-Length: 2\r\n\r\nab") {
      client.send(byte)
      await Promise.resolve()
    }
    expect(await client.until("|")).toEndWith("POST /x ab|")
  })

  test("speaks HTTP/1.0: closes after the answer, unless asked to keep", async () => {
    await using server = await startServer(echo)
    const answer = await server.exchange("GET /a HTTP/1.0\n\n")
    expect(withoutDate(answer)).toBe("HTTP/1.0 200 OK\r\nContent-Length: 8\r\nConnection: close\r\n\r\nGET /a |")
    using client = await server.connect()
    client.send("GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
    expect(await client.until("|")).toContain("Connection: keep-alive\r\n")
    client.send("GET /b HTTP/1.0\r\n\r\n")
    expect(await client.rest()).toEndWith("GET /b |")
  })

  test("closes when the client says so", async () => {
    await using server = await startServer(echo)
    using client = await server.connect()
    client.send("GET /a HTTP/1.1\r\nConnection: close\r\n\r\n")
    expect(await client.rest()).toContain("Connection: close\r\n")
  })

  test("sends no body to HEAD, and none with 204 and 304", async () => {
    const replies: Record<string, Reply> = {
      "/whole": { kind: "whole", status: 200, body: "body" },
      "/stream": streamed("text/plain", async (out) => void out.write("body")),
      "/204": empty(204),
      "/304": empty(304),
    }
    await using server = await startServer((request) => replies[request.path]!)
    for (const path of Object.keys(replies)) {
      const answer = await server.exchange(`HEAD ${path} HTTP/1.1\r\n\r\n`)
      expect(answer).toEndWith("\r\n\r\n")
      expect(answer.includes("Content-Length: 4")).toBe(path === "/whole")
    }
  })

  test("streams in chunks to 1.1 and bare to 1.0", async () => {
    await using server = await startServer(() =>
      streamed("text/plain", async (out) => {
        out.write("one")
        out.write("")
        out.writeFramed(Buffer.from("<"), Buffer.from("two>"))
      }),
    )
    expect(await server.exchange("GET / HTTP/1.1\r\n\r\n")).toEndWith("\r\n\r\n3\r\none\r\n5\r\n<two>\r\n0\r\n\r\n")
    const bare = await server.exchange("GET / HTTP/1.0\r\n\r\n")
    expect(bare).toEndWith("\r\n\r\none<two>")
    expect(bare).not.toContain("Transfer-Encoding")
  })

  test("sends the head of a stream before its first byte", async () => {
    const go = Promise.withResolvers<void>()
    await using server = await startServer(() =>
      streamed("text/plain", async (out) => {
        await go.promise
        out.write("late")
      }),
    )
    using client = await server.connect()
    client.send("GET / HTTP/1.1\r\n\r\n")
    await client.until("\r\n\r\n")
    go.resolve()
    expect(await client.until("0\r\n\r\n")).toBe("4\r\nlate\r\n0\r\n\r\n")
  })

  test("breaks off a stream that fails, without the last chunk", async () => {
    await using server = await startServer(() =>
      streamed("text/plain", async (out) => {
        out.write("half")
        throw new Error("disk full")
      }),
    )
    using client = await server.connect()
    client.send("GET / HTTP/1.1\r\n\r\n")
    expect(await client.rest()).toEndWith("4\r\nhalf\r\n")
  })

  test("says 100 Continue when the handler begins to read, and not otherwise", async () => {
    await using server = await startServer(async (request) => {
      if (request.path === "/refuse") return json(400, {})
      return echo(request)
    })
    using client = await server.connect()
    client.send("POST /a HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n")
    expect(await client.until("\r\n\r\n")).toBe("HTTP/1.1 100 Continue\r\n\r\n")
    client.send("ab")
    await client.until("POST /a ab|")
    client.send("POST /refuse HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n")
    const refusal = await client.rest()
    expect(refusal).toStartWith("HTTP/1.1 400")
    expect(refusal).toContain("Connection: close\r\n")
  })

  test("swallows a small body nobody read, and goes on", async () => {
    await using server = await startServer(() => empty(204))
    using client = await server.connect()
    client.send("POST / HTTP/1.1\r\nContent-Length: 10\r\n\r\n01234")
    await client.until("204")
    client.send("56789GET /next HTTP/1.1\r\n\r\n")
    await client.until("204")
  })

  test("closes when the rest of a body nobody read never comes", async () => {
    await using server = await startServer(() => empty(204))
    using client = await server.connect()
    client.send("POST / HTTP/1.1\r\nContent-Length: 10\r\n\r\n01234")
    await client.until("204")
    await client.until("\r\n\r\n")
    client.socket.end()
    expect(await client.rest()).toBe("")
  })

  test("closes rather than swallow a large one, and the client still gets the answer", async () => {
    await using server = await startServer(() => json(413, { message: "no" }))
    using client = await server.connect()
    client.send("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n")
    for (let i = 0; i < 20; i++) client.send(`8000\r\n${"x".repeat(0x8000)}\r\n`)
    expect(await client.rest()).toContain('{"message":"no"}')
  })

  test.each([
    ["POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400],
    ["GET / HTTP/1.1\r\nA : b\r\n\r\n", 400],
    ["nonsense\r\n\r\n", 400],
    [`GET /${"a".repeat(70_000)} HTTP/1.1\r\n\r\n`, 431],
    ["PRI * HTTP/2.0\r\n\r\n", 505],
  ])("refuses what cannot be read, and closes: %#", async (bytes, status) => {
    await using server = await startServer(echo)
    const answer = await server.exchange(bytes)
    expect(answer).toStartWith(`HTTP/1.1 ${status} `)
    expect(answer.match(/HTTP\/1/g)).toHaveLength(1)
  })

  test("tells the handler of a body that breaks or ends early", async () => {
    const errors: string[] = []
    await using server = await startServer(async (request) => {
      try {
        await request.body.bytes(1000)
      } catch (error) {
        errors.push((error as Error).message)
      }
      return empty(400)
    })
    expect(await server.exchange("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n")).toStartWith(
      "HTTP/1.1 400",
    )
    expect(await server.exchange("POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\nabc")).toStartWith("HTTP/1.1 400")
    expect(errors).toEqual(["Malformed chunk size", "Request body ended before its announced length"])
  })

  test("bounds the body a handler collects", async () => {
    await using server = await startServer(async (request) => {
      const outcome = await request.body.bytes(10).then(
        () => 200,
        () => 400,
      )
      return empty(outcome)
    })
    expect(await server.exchange(`POST / HTTP/1.1\r\nContent-Length: 11\r\n\r\n${"x".repeat(11)}`)).toContain(" 400 ")
    expect(
      await server.exchange("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nb\r\n01234567890\r\n0\r\n\r\n"),
    ).toContain(" 400 ")
  })

  test("stops reading while the handler is slow, and loses nothing", async () => {
    const go = Promise.withResolvers<void>()
    let total = 0
    await using server = await startServer(async (request) => {
      await request.body.read()
      await go.promise
      for await (const part of request.body) total += part.length
      return json(200, { done: true })
    })
    using client = await server.connect()
    const size = 32 * 1024 * 1024
    client.send(`POST / HTTP/1.1\r\nContent-Length: ${size}\r\n\r\n`)
    client.send(Buffer.alloc(size))
    await Bun.sleep(50)
    expect(client.socket.writableLength).toBeGreaterThan(size / 2)
    go.resolve()
    await client.until("done")
    expect(total).toBeGreaterThan(size / 2)
  })

  test("asks a fast handler to wait for a slow client, and loses nothing", async () => {
    const chunk = Buffer.alloc(65_536, "x")
    let waits = 0
    await using server = await startServer(() =>
      streamed("text/plain", async (out) => {
        for (let i = 0; i < 256; i++)
          if (!out.write(chunk)) {
            waits++
            await out.drained()
          }
      }),
    )
    using client = await server.connect()
    client.socket.pause()
    client.send("GET / HTTP/1.0\r\n\r\n")
    await Bun.sleep(30)
    client.socket.resume()
    const answer = await client.rest()
    expect(answer.length - answer.indexOf("\r\n\r\n") - 4).toBe(256 * 65_536)
    expect(waits).toBeGreaterThan(0)
  })

  test("aborts the request of a client that goes away, not of one that only half-closes", async () => {
    const seen: HttpRequest[] = []
    const gone = Promise.withResolvers<void>()
    await using server = await startServer(async (request) => {
      seen.push(request)
      request.signal.addEventListener("abort", () => gone.resolve())
      await gone.promise
      return empty(204)
    })
    using client = await server.connect()
    client.socket.end("GET / HTTP/1.1\r\n\r\n")
    await Bun.sleep(30)
    expect(seen[0]?.signal.aborted).toBe(false)
    client.socket.destroy()
    await gone.promise
    expect(seen[0]?.signal.aborted).toBe(true)
  })

  test("never lets a header value break out of its line", async () => {
    await using server = await startServer(() => empty(200, { "X-Name": "a\r\nEvil: yes" }))
    expect(await server.exchange("GET / HTTP/1.1\r\n\r\n")).toContain("X-Name: a Evil: yes\r\n")
  })
})
