import { describe, expect, test } from "bun:test"
import type { Attachment, Engine, OutputSink } from "../../engine/contract.ts"
import { DhowError } from "../../lib/errors.ts"
import { type ByteClient, startServer, type TestServer } from "../http/test-client.ts"
import { dockerApi } from "./api.ts"
import { engineWith } from "./test-call.ts"

const UPGRADE = "Connection: Upgrade\r\nUpgrade: tcp\r\n"
const frame = (stream: number, text: string): string =>
  `${String.fromCharCode(stream)}\0\0\0\0\0\0${String.fromCharCode(text.length)}${text}`

/** Greets on both streams, sends input back, and ends with it. */
class EchoProcess implements Attachment {
  readonly tty: boolean
  detached = false
  received = ""
  #sink: OutputSink | undefined
  constructor(tty: boolean) {
    this.tty = tty
  }
  readonly input = {
    write: (chunk: Uint8Array): boolean => {
      this.received += Buffer.from(chunk).toString("latin1")
      return this.#sink?.write(1, chunk) ?? true
    },
    drained: async (): Promise<void> => {},
    end: (): void => this.#sink?.end(),
  }
  connect(sink: OutputSink): void {
    this.#sink = sink
    sink.write(1, Buffer.from("out"))
    sink.write(2, Buffer.from("err"))
  }
  detach(): void {
    this.detached = true
  }
}

const serve = (parts: Parameters<typeof engineWith>[0]): Promise<TestServer> =>
  startServer(dockerApi(engineWith(parts) as Engine))

async function attach(server: TestServer, head: string): Promise<{ client: ByteClient; head: string }> {
  const client = await server.connect()
  client.send(head)
  return { client, head: await client.until("\r\n\r\n") }
}

describe("attach", () => {
  test("multiplexes without a terminal, under the content type of the version", async () => {
    await using server = await serve({ containers: { attach: async () => new EchoProcess(false) } })
    for (const [version, type] of [
      ["1.42", "multiplexed"],
      ["1.41", "raw"],
    ]) {
      const { client, head } = await attach(
        server,
        `POST /v${version}/containers/x/attach?stdin=1 HTTP/1.1\r\n${UPGRADE}\r\n`,
      )
      expect(head).toContain(`Content-Type: application/vnd.docker.${type}-stream\r\n`)
      client.socket.end("hi")
      expect(await client.rest()).toBe(frame(1, "out") + frame(2, "err") + frame(1, "hi"))
    }
  })

  test("is raw on a terminal, and without an upgrade", async () => {
    await using server = await serve({ containers: { attach: async () => new EchoProcess(true) } })
    const { client, head } = await attach(server, "POST /containers/x/attach HTTP/1.1\r\n\r\n")
    expect(head).toStartWith("HTTP/1.1 200 OK\r\nDate")
    expect(head).toContain("Content-Type: application/vnd.docker.raw-stream\r\n")
    client.socket.end("hi")
    expect(await client.rest()).toBe("outerrhi")
  })

  test("takes no body of options for input", async () => {
    await using server = await serve({ containers: { attach: async () => new EchoProcess(false) } })
    const type = "Content-Type: application/json\r\n"
    const fixed = await server.exchange(
      `POST /containers/x/attach HTTP/1.1\r\n${UPGRADE}${type}Content-Length: 14\r\n\r\n{"stdin":true}hi`,
    )
    expect(fixed).toEndWith(frame(1, "out") + frame(2, "err") + frame(1, "hi"))
    const chunked = await server.exchange(
      `POST /containers/x/attach HTTP/1.1\r\n${type}Transfer-Encoding: chunked\r\n\r\ne\r\n{"stdin":true}\r\n2\r\nhi\r\n0\r\n\r\n`,
    )
    expect(chunked).toEndWith(frame(1, "out") + frame(2, "err") + frame(1, "hi"))
  })

  test("detaches at the keys, on a terminal only, and tells the process nothing of them", async () => {
    const terminal = new EchoProcess(true)
    const pipe = new EchoProcess(false)
    await using server = await serve({
      containers: { attach: async (reference) => (reference === "terminal" ? terminal : pipe) },
    })
    const path = (name: string): string =>
      `POST /containers/${name}/attach?detachKeys=ctrl-a,q HTTP/1.1\r\n${UPGRADE}\r\n`
    const one = await attach(server, path("terminal"))
    one.client.send("ab\x01q")
    expect(await one.client.rest()).toBe("outerrab")
    expect(terminal).toMatchObject({ detached: true, received: "ab" })
    const two = await attach(server, path("pipe"))
    two.client.socket.end("ab\x01q")
    await two.client.rest()
    expect(pipe).toMatchObject({ detached: false, received: "ab\x01q" })
  })

  test("detaches from the process when the client goes away", async () => {
    const process = new EchoProcess(false)
    const gone = Promise.withResolvers<void>()
    process.detach = () => gone.resolve()
    process.input.end = () => {}
    await using server = await serve({ containers: { attach: async () => process } })
    const { client } = await attach(server, `POST /containers/x/attach HTTP/1.1\r\n${UPGRADE}\r\n`)
    client.socket.destroy()
    await gone.promise
  })

  test("answers an error with its status, and goes on with the connection", async () => {
    await using server = await serve({
      containers: {
        attach: async () => {
          throw new DhowError("not-found", "No such container: x")
        },
      },
    })
    using client = await server.connect()
    client.send(`POST /containers/x/attach HTTP/1.1\r\n${UPGRADE}\r\nGET /_ping HTTP/1.1\r\n\r\n`)
    expect(await client.until("\n")).toContain(" 404 ")
    await client.until("OK")
  })
})

describe("exec start", () => {
  const start = (body: string, more = UPGRADE): string =>
    `POST /exec/e1/start HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n${more}\r\n${body}`

  test("reads its body and takes the rest as input", async () => {
    await using server = await serve({ execs: { start: async () => new EchoProcess(false) } })
    expect(await server.exchange(`${start("{}")}hi`)).toEndWith(frame(1, "out") + frame(2, "err") + frame(1, "hi"))
  })

  test("reads a body in chunks that is left open for the input", async () => {
    await using server = await serve({ execs: { start: async () => new EchoProcess(false) } })
    using client = await server.connect()
    client.send(
      'POST /exec/e1/start HTTP/1.1\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n10\r\n{"Detach": false}\r\n'.replace(
        "10\r\n",
        "11\r\n",
      ),
    )
    await client.until(frame(2, "err"))
    client.send("2\r\nhi\r\n0\r\n\r\n")
    expect(await client.rest()).toBe(frame(1, "hi"))
  })

  test("detached answers when the process runs", async () => {
    await using server = await serve({ execs: { start: async () => undefined } })
    expect(await server.exchange(start('{"Detach":true}', ""))).toStartWith("HTTP/1.1 200 OK\r\n")
  })

  test("tells what is refused before the process is begun as a status, upgraded or not", async () => {
    const refuse = async (): Promise<undefined> => {
      throw new DhowError("conflict", "busy")
    }
    await using server = await serve({ execs: { start: refuse } })
    for (const headers of [UPGRADE, ""])
      expect(await server.exchange(start("{}", headers))).toMatch(
        /^HTTP\/1\.1 409 Conflict\r\n[\s\S]*\{"message":"busy"\}\n$/,
      )
  })
})

test("logs go out framed, in chunks, with their head first", async () => {
  const go = Promise.withResolvers<void>()
  await using server = await serve({
    containers: {
      logs: async () => ({
        tty: false,
        async connect(sink) {
          await go.promise
          sink.write(2, Buffer.from("line\n"))
          sink.end()
        },
      }),
    },
  })
  const { client, head } = await attach(server, "GET /containers/x/logs?stdout=1&follow=1 HTTP/1.1\r\n\r\n")
  expect(head).toContain("Content-Type: application/vnd.docker.multiplexed-stream\r\n")
  go.resolve()
  expect(await client.until("0\r\n\r\n")).toBe(`d\r\n${frame(2, "line\n")}\r\n0\r\n\r\n`)
  client.socket.destroy()
})
