// For tests: a server on a socket in a directory of its own, and a client that speaks bytes.
import { mkdtempSync, rmSync } from "node:fs"
import { connect, type Socket } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { listen } from "./listen.ts"
import type { Handler } from "./reply.ts"

export type TestServer = AsyncDisposable & {
  readonly path: string
  connect(): Promise<ByteClient>
  /** Sends bytes, half-closes, and returns everything that came back. */
  exchange(bytes: string | Uint8Array): Promise<string>
}

export async function startServer(handle: Handler): Promise<TestServer> {
  const directory = mkdtempSync(join(tmpdir(), "dhow-http-"))
  const path = join(directory, "api.sock")
  const [listener] = await listen(`unix://${path}`, { handle, commonHeaders: "" })
  const open = async (): Promise<ByteClient> => {
    const socket = connect({ path, allowHalfOpen: true })
    await new Promise((resolve, reject) => socket.once("connect", resolve).once("error", reject))
    return new ByteClient(socket)
  }
  return {
    path,
    connect: open,
    async exchange(bytes) {
      const client = await open()
      client.socket.end(bytes)
      return client.rest()
    },
    async [Symbol.asyncDispose]() {
      listener?.close()
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

export class ByteClient implements Disposable {
  readonly socket: Socket
  #text = ""
  #ended = false
  #wake: (() => void) | undefined

  constructor(socket: Socket) {
    this.socket = socket
    socket.on("data", (chunk) => {
      this.#text += chunk.toString("latin1")
      this.#wake?.()
    })
    const end = (): void => {
      this.#ended = true
      this.#wake?.()
    }
    socket.on("end", end).on("close", end).on("error", end)
  }

  send(bytes: string | Uint8Array): void {
    this.socket.write(bytes)
  }

  /** What came up to and with `mark`. */
  async until(mark: string): Promise<string> {
    for (;;) {
      const at = this.#text.indexOf(mark)
      if (at >= 0) {
        const found = this.#text.slice(0, at + mark.length)
        this.#text = this.#text.slice(at + mark.length)
        return found
      }
      if (this.#ended) throw new Error(`Connection ended before ${JSON.stringify(mark)}: ${JSON.stringify(this.#text)}`)
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }

  /** Everything until the server closes its side. */
  async rest(): Promise<string> {
    while (!this.#ended)
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    return this.#text
  }

  [Symbol.dispose](): void {
    this.socket.destroy()
  }
}
