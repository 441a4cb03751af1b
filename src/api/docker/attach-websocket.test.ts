import { describe, expect, test } from "bun:test"
import type { Attachment, AttachOptions, Engine, OutputSink } from "../../engine/contract.ts"
import { DhowError } from "../../lib/errors.ts"
import type { ContainerInspect } from "../../wire/container.ts"
import { type ByteClient, startServer, type TestServer } from "../http/test-client.ts"
import { dockerApi } from "./api.ts"
import { engineWith } from "./test-call.ts"

const KEY = "dGhlIHNhbXBsZSBub25jZQ=="
const HANDSHAKE = `Connection: keep-alive, Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${KEY}\r\n`
const masked = (first: number, text: string): Uint8Array =>
  Buffer.concat([Uint8Array.of(first, 0x80 | text.length, 0, 0, 0, 0), Buffer.from(text, "latin1")])
const plain = (first: number, text: string): string => `${String.fromCharCode(first, text.length)}${text}`

class EchoProcess implements Attachment {
  readonly tty: boolean
  left: string | undefined
  #sink: OutputSink | undefined
  constructor(tty = false) {
    this.tty = tty
  }
  readonly input = {
    write: (chunk: Uint8Array): boolean => this.#sink?.write(1, chunk) ?? true,
    drained: async (): Promise<void> => {},
    end: (): void => this.#sink?.end(),
  }
  connect(sink: OutputSink): void {
    this.#sink = sink
    sink.write(1, Buffer.from("out"))
    sink.write(2, Buffer.from("err"))
  }
  detach(why: string): void {
    this.left = why
  }
}

const serve = (process: Attachment, asked: AttachOptions[] = []): Promise<TestServer> =>
  startServer(
    dockerApi(
      engineWith({
        containers: {
          attach: async (_, options) => {
            asked.push(options)
            return process
          },
          inspect: async () => ({}) as ContainerInspect,
        },
      }) as Engine,
    ),
  )

async function open(
  server: TestServer,
  path: string,
  fields = HANDSHAKE,
): Promise<{ client: ByteClient; head: string }> {
  const client = await server.connect()
  client.send(`GET ${path} HTTP/1.1\r\nHost: x\r\n${fields}\r\n`)
  return { client, head: await client.until("\r\n\r\n") }
}

describe("attach through a WebSocket", () => {
  test("opens as RFC 6455 has it, and sends output in binary frames", async () => {
    await using server = await serve(new EchoProcess())
    const { client, head } = await open(server, "/v1.45/containers/x/attach/ws?stream=1&stdin=1&stdout=1&stderr=1")
    expect(head).toStartWith("HTTP/1.1 101 ")
    expect(head).toContain("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n")
    expect(await client.until(plain(0x82, "err"))).toBe(`${plain(0x82, "out")}${plain(0x82, "err")}`)
    client.send(masked(0x82, "hi"))
    expect(await client.until("hi")).toBe(plain(0x82, "hi"))
    client.send(masked(0x89, "ping"))
    expect(await client.until("ping")).toBe(plain(0x8a, "ping"))
    client.send(masked(0x88, "\x03\xe8"))
    expect(await client.rest()).toBe(plain(0x88, "\x03\xe8"))
  })

  test("sends text frames before 1.28, and takes all streams before 1.42", async () => {
    const asked: AttachOptions[] = []
    await using server = await serve(new EchoProcess(), asked)
    const old = await open(server, "/v1.27/containers/x/attach/ws?stream=1")
    expect(await old.client.until("out")).toBe(plain(0x81, "out"))
    old.client.socket.destroy()
    await open(server, "/v1.42/containers/x/attach/ws?stream=1&stdout=1&logs=1").then(({ client }) =>
      client.socket.destroy(),
    )
    expect(asked).toEqual([
      { stdin: true, stdout: true, stderr: true, logs: false, stream: true },
      { stdin: false, stdout: true, stderr: false, logs: true, stream: true },
    ])
  })

  test("watches for the detach keys of a terminal, and closes", async () => {
    const process = new EchoProcess(true)
    await using server = await serve(process)
    const { client } = await open(server, "/containers/x/attach/ws?stream=1&stdin=1&stdout=1&detachKeys=ctrl-x,y")
    await client.until("err")
    client.send(masked(0x82, "a\x18"))
    client.send(masked(0x82, "y"))
    expect(await client.rest()).toBe(`${plain(0x82, "a")}${plain(0x88, "\x03\xe8")}`)
    expect(process.left).toBe("keys")
  })

  test("ends a client that breaks the protocol, and one that pings without end stays bounded", async () => {
    await using server = await serve(new EchoProcess())
    const { client } = await open(server, "/containers/x/attach/ws?stream=1&stdin=1")
    await client.until("err")
    for (let count = 0; count < 5000; count++) client.send(masked(0x89, "x".repeat(100)))
    client.send(Uint8Array.of(0x82, 0x01, 0x41))
    expect(await client.rest()).toEndWith(plain(0x88, "\x03\xea"))
  })

  test("takes a protocol that the client names", async () => {
    await using server = await serve(new EchoProcess())
    const { head, client } = await open(
      server,
      "/containers/x/attach/ws",
      `${HANDSHAKE}Sec-WebSocket-Protocol: tty\r\n`,
    )
    expect(head).toContain("Sec-WebSocket-Protocol: tty\r\n")
    client.socket.destroy()
  })

  test("answers 400 to a request that asks for no WebSocket, before anything is attached", async () => {
    const asked: AttachOptions[] = []
    await using server = await serve(new EchoProcess(), asked)
    for (const fields of [
      "",
      HANDSHAKE.replace("13", "8"),
      HANDSHAKE.replace(KEY, "short"),
      HANDSHAKE.replace("websocket", "tcp"),
    ]) {
      const { head } = await open(server, "/containers/x/attach/ws", fields)
      expect(head).toStartWith("HTTP/1.1 400 ")
    }
    expect(asked).toEqual([])
  })

  test("answers the engine's refusal as any route does", async () => {
    const refusal = async (): Promise<Attachment> => {
      throw new DhowError("not-found", "No such container: x")
    }
    await using server = await startServer(dockerApi(engineWith({ containers: { attach: refusal } }) as Engine))
    const { head, client } = await open(server, "/containers/x/attach/ws")
    expect(head).toStartWith("HTTP/1.1 404 ")
    expect(await client.until("}")).toContain("No such container: x")
  })
})
