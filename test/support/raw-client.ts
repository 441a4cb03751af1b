// A connection to an engine, by hand: one request, its head, and whatever bytes go both ways after that.
import type { TestEngine } from "./engine.ts"

const PATIENCE_MS = 15_000
/** The frame in front of each piece of multiplexed output. */
const FRAME = 8

export class RawClient {
  readonly #socket: Bun.Socket
  #bytes = Buffer.alloc(0)
  #isOver = false
  #wake: () => void = () => undefined
  head = ""

  private constructor(socket: Bun.Socket) {
    this.#socket = socket
  }

  /** Sends the request and returns when the head of its answer is there. */
  static async open(engine: TestEngine, request: string, body = ""): Promise<RawClient> {
    let take = (_chunk: Uint8Array): void => undefined
    let end = (): void => undefined
    const socket = await Bun.connect({
      unix: engine.socket,
      allowHalfOpen: true,
      socket: {
        data: (_, chunk) => take(chunk),
        end: () => end(),
        close: () => end(),
        error: () => end(),
      },
    })
    const client = new RawClient(socket)
    take = (chunk) => client.#take(chunk)
    end = () => client.#end()
    const length = request.startsWith("GET")
      ? ""
      : `Content-Type: application/json\r\nContent-Length: ${body.length}\r\n`
    socket.write(`${request.trimEnd()}\r\nHost: dhow\r\n${length}\r\n${body}`)
    await client.until(() => client.#bytes.includes("\r\n\r\n"))
    const headEnd = client.#bytes.indexOf("\r\n\r\n")
    client.head = client.#bytes.subarray(0, headEnd).toString("latin1")
    client.#bytes = client.#bytes.subarray(headEnd + 4)
    return client
  }

  /** One that takes its connection over, as attach and exec do. */
  static upgrade(engine: TestEngine, path: string, body = ""): Promise<RawClient> {
    return RawClient.open(engine, `POST ${path} HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: tcp`, body)
  }

  get text(): string {
    return this.#bytes.toString("latin1")
  }

  /** What came of each stream of multiplexed output, whole frames only. */
  get streams(): { readonly 1: string; readonly 2: string } {
    const found = { 1: "", 2: "" }
    const bytes = this.#bytes
    for (let at = 0; at + FRAME <= bytes.length; ) {
      const end = at + FRAME + bytes.readUInt32BE(at + 4)
      found[bytes[at] === 2 ? 2 : 1] += bytes.subarray(at + FRAME, end).toString("latin1")
      at = end
    }
    return found
  }

  write(text: string): void {
    this.#socket.write(Buffer.from(text, "latin1"))
  }

  halfClose(): void {
    this.#socket.shutdown()
  }

  close(): void {
    this.#socket.terminate()
  }

  contains(text: string): Promise<void> {
    return this.until(() => this.text.includes(text))
  }

  /** Resolves when the engine has closed its side. */
  async ended(): Promise<void> {
    await this.until(() => this.#isOver)
    this.close()
  }

  async until(holds: () => boolean): Promise<void> {
    const deadline = Date.now() + PATIENCE_MS
    while (!holds()) {
      const left = deadline - Date.now()
      if (left <= 0 || (this.#isOver && !holds()))
        throw new Error(`Waited in vain${this.#isOver ? ", it ended" : ""}: ${this.head} ${JSON.stringify(this.text)}`)
      const { promise, resolve } = Promise.withResolvers<void>()
      this.#wake = resolve
      const timer = setTimeout(resolve, left)
      await promise
      clearTimeout(timer)
    }
  }

  #take(chunk: Uint8Array): void {
    this.#bytes = Buffer.concat([this.#bytes, chunk])
    this.#wake()
  }

  #end(): void {
    this.#isOver = true
    this.#wake()
  }
}

/** A port on loopback that leads to the engine's socket, for clients that know nothing else; ends with `stop`. */
export function loopback(engine: TestEngine): { readonly port: number; stop(): void } {
  type Side = { other: Bun.Socket<Side> | undefined; early: Buffer[] }
  const open = new Set<Bun.Socket<Side>>()
  const socket: Bun.SocketHandler<Side> = {
    open: (one) => {
      open.add(one)
    },
    data: (one, chunk) => {
      if (one.data.other === undefined) one.data.early.push(Buffer.from(chunk))
      else one.data.other.write(chunk)
    },
    close: (one) => {
      open.delete(one)
      one.data.other?.terminate()
    },
    error: (one) => one.terminate(),
  }
  const server = Bun.listen<Side>({
    hostname: "127.0.0.1",
    port: 0,
    data: { other: undefined, early: [] },
    socket: {
      ...socket,
      open: async (inner) => {
        open.add(inner)
        inner.data = { other: undefined, early: [] }
        const outer = await Bun.connect<Side>({
          unix: engine.socket,
          data: { other: inner, early: [] },
          socket,
        })
        inner.data.other = outer
        for (const chunk of inner.data.early.splice(0)) outer.write(chunk)
      },
    },
  })
  return {
    port: server.port,
    stop: () => {
      for (const one of open) one.terminate()
      server.stop(true)
    },
  }
}
