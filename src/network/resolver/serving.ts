// One namespace that is served: a UDP and a TCP socket inside it. What a client can make us keep is bounded: connections,
// questions under way, bytes that wait to be read or written.
import type { Socket, TCPSocketListener, TCPSocketListenOptions, udp } from "bun"
import { log } from "../../lib/log.ts"
import type { Reply } from "./answer.ts"
import { passOn, sizeLimit, writeAnswer, writeRefusal } from "./compose.ts"
import { RESOLVER_ADDRESS } from "./contract.ts"
import { inNamespace } from "./namespace.ts"
import { type Query, RCODE, readQuery } from "./packet.ts"
import type { RedirectPorts } from "./redirect.ts"

const MOST_UNDER_WAY = 256
const MOST_CONNECTIONS = 64
const IDLE_SECONDS = 10
const MOST_WAITING_BYTES = 256 * 1024
/** SO_REUSEPORT: the resolver that takes over binds the same ports before the old one lets go. */
const REUSE_PORT = 4

export type Respond = (query: Query) => Reply | Promise<Reply>

type Connection = { unread: Buffer; unsent: Buffer }

export class Serving {
  readonly #connections = new Set<Socket<Connection>>()
  readonly #respond: Respond
  #udp: udp.Socket<"buffer"> | undefined
  #tcp: TCPSocketListener<Connection> | undefined
  #underWay = 0

  constructor(respond: Respond) {
    this.#respond = respond
  }

  /** Binds both sockets in the namespace; on these ports where they are given. */
  async bind(fd: number, ports: RedirectPorts | undefined): Promise<void> {
    const listening: TCPSocketListenOptions<Connection> & { readonly reusePort: true } = {
      hostname: RESOLVER_ADDRESS,
      port: ports?.tcp ?? 0,
      reusePort: true,
      socket: {
        open: (socket) => this.#open(socket),
        data: (socket, bytes) => this.#read(socket, bytes),
        drain: flush,
        timeout: (socket) => socket.terminate(),
        close: (socket) => {
          this.#connections.delete(socket)
        },
        error: (socket) => socket.terminate(),
      },
    }
    const receiving = {
      hostname: RESOLVER_ADDRESS,
      port: ports?.udp ?? 0,
      flags: REUSE_PORT,
      socket: {
        data: (socket: udp.Socket<"buffer">, bytes: Buffer, port: number, address: string) =>
          this.#answer(bytes, "udp", (packet) => {
            if (!socket.closed) socket.send(packet, port, address)
          }),
        error: () => {},
      },
    }
    const making = inNamespace(fd, () => {
      this.#tcp = Bun.listen(listening)
      return Bun.udpSocket(receiving)
    })
    try {
      this.#udp = await making
    } catch (error) {
      this.close()
      throw error
    }
  }

  get ports(): RedirectPorts {
    return { udp: this.#udp?.port ?? 0, tcp: this.#tcp?.port ?? 0 }
  }

  get isIdle(): boolean {
    return this.#underWay === 0
  }

  /** No new connections; what is under way goes on. */
  leave(): void {
    this.#tcp?.stop(false)
  }

  close(): void {
    this.#udp?.close()
    this.#tcp?.stop(true)
    for (const socket of this.#connections) socket.terminate()
  }

  #open(socket: Socket<Connection>): void {
    socket.data = { unread: Buffer.alloc(0), unsent: Buffer.alloc(0) }
    if (this.#connections.size >= MOST_CONNECTIONS) {
      socket.terminate()
      return
    }
    this.#connections.add(socket)
    socket.timeout(IDLE_SECONDS)
  }

  #read(socket: Socket<Connection>, bytes: Buffer): void {
    const { data } = socket
    data.unread = Buffer.concat([data.unread, bytes])
    socket.timeout(IDLE_SECONDS)
    while (data.unread.length >= 2) {
      const length = data.unread.readUInt16BE(0)
      if (data.unread.length < 2 + length) break
      const message = Buffer.from(data.unread.subarray(2, 2 + length))
      data.unread = Buffer.from(data.unread.subarray(2 + length))
      this.#answer(message, "tcp", (packet) => {
        if (!this.#connections.has(socket)) return
        const frame = Buffer.concat([Buffer.of(packet.length >> 8, packet.length & 0xff), packet])
        if (data.unsent.length + frame.length > MOST_WAITING_BYTES) {
          socket.terminate()
          return
        }
        data.unsent = Buffer.concat([data.unsent, frame])
        flush(socket)
      })
    }
  }

  #answer(bytes: Buffer, transport: "udp" | "tcp", send: (packet: Buffer) => void): void {
    const query = readQuery(bytes)
    if (query === undefined) return
    if ("rcode" in query) {
      send(writeRefusal(query))
      return
    }
    const limit = sizeLimit(query, transport)
    if (this.#underWay >= MOST_UNDER_WAY) {
      send(writeAnswer(query, { rcode: RCODE.REFUSED, records: [] }, limit))
      return
    }
    try {
      const replied = this.#respond(query)
      if (!(replied instanceof Promise)) {
        send(render(query, replied, limit))
        return
      }
      this.#underWay++
      replied
        .then((later) => send(render(query, later, limit)))
        .catch((error: unknown) => this.#failed(query, error, send))
        .finally(() => this.#underWay--)
    } catch (error) {
      this.#failed(query, error, send)
    }
  }

  #failed(query: Query, error: unknown, send: (packet: Buffer) => void): void {
    log.error("a name could not be answered", { name: query.name.text, error: String(error) })
    try {
      send(writeAnswer(query, { rcode: RCODE.SERVFAIL, records: [] }, sizeLimit(query, "udp")))
    } catch {
      // The client is gone.
    }
  }
}

function render(query: Query, { answer }: Reply, limit: number): Buffer {
  if (!("kept" in answer)) return writeAnswer(query, answer, limit)
  return passOn(query, answer.kept, { age: answer.age, limit, error: answer.error })
}

function flush(socket: Socket<Connection>): void {
  const { data } = socket
  if (data.unsent.length === 0) return
  const sent = socket.write(data.unsent)
  data.unsent = sent <= 0 ? data.unsent : Buffer.from(data.unsent.subarray(sent))
}
