// The resolver's control socket: one JSON object per line, a request with a number and the reply with the same. Only root
// reaches it: the directory is root's. Both ends are here.
import type { Socket } from "bun"
import type { Resolution, ResolverFailure } from "../../wire/resolve.ts"
import type { ServeOptions } from "./contract.ts"

export type Request =
  | { readonly verb: "hello" }
  | { readonly verb: "serve"; readonly key: string; readonly options: ServeOptions }
  | { readonly verb: "withdraw"; readonly key: string }
  | { readonly verb: "explain"; readonly key: string; readonly name: string }
  | { readonly verb: "failures" }
  /** Another process has taken over: let go of the sockets, and end. */
  | { readonly verb: "retire" }
  /** Nothing is to be served any more. */
  | { readonly verb: "stop" }

/** What each verb is answered with. */
export type Replies = {
  readonly hello: { readonly mark: string; readonly pid: number }
  readonly serve: Record<string, never>
  readonly withdraw: Record<string, never>
  readonly explain: Resolution
  readonly failures: readonly ResolverFailure[]
  readonly retire: Record<string, never>
  readonly stop: Record<string, never>
}

type Numbered = Request & { readonly number: number }
type Reply = { readonly number: number; readonly value?: unknown; readonly error?: string }

/** Longer than any server is waited for. */
const PATIENCE_MS = 10_000
const MOST_LINE_BYTES = 1024 * 1024

class Lines {
  #rest = ""
  readonly #decoder = new TextDecoder()

  /** The whole lines that are there now. */
  push(bytes: Uint8Array): string[] {
    const lines = (this.#rest + this.#decoder.decode(bytes, { stream: true })).split("\n")
    this.#rest = lines.pop() ?? ""
    if (this.#rest.length > MOST_LINE_BYTES) throw new RangeError("A line of the control socket is too long")
    return lines.filter((line) => line !== "")
  }
}

/** What a socket did not take at once waits for its drain. */
class Outgoing {
  #waiting = Buffer.alloc(0)

  send(socket: Pick<Socket, "write">, value: unknown): void {
    this.#waiting = Buffer.concat([this.#waiting, Buffer.from(`${JSON.stringify(value)}\n`)])
    this.flush(socket)
  }

  flush(socket: Pick<Socket, "write">): void {
    if (this.#waiting.length === 0) return
    const sent = socket.write(this.#waiting)
    if (sent > 0) this.#waiting = Buffer.from(this.#waiting.subarray(sent))
  }
}

type End = { readonly lines: Lines; readonly out: Outgoing }

export function listenControl(path: string, handle: (request: Request) => Promise<unknown>): { stop(): void } {
  const answer = async (socket: Socket<End>, line: string): Promise<void> => {
    const { number, ...request } = JSON.parse(line) as Numbered
    let reply: Reply
    try {
      reply = { number, value: await handle(request) }
    } catch (error) {
      reply = { number, error: error instanceof Error ? error.message : String(error) }
    }
    socket.data.out.send(socket, reply)
  }
  return Bun.listen<End>({
    unix: path,
    socket: {
      open: (socket) => {
        socket.data = { lines: new Lines(), out: new Outgoing() }
      },
      data: (socket, bytes) => {
        try {
          for (const line of socket.data.lines.push(bytes)) answer(socket, line).catch(() => socket.terminate())
        } catch {
          socket.terminate()
        }
      },
      drain: (socket) => socket.data.out.flush(socket),
      error: (socket) => void socket.terminate(),
    },
  })
}

type Waiting = Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>

export class Control {
  readonly #socket: Socket<undefined>
  readonly #out: Outgoing
  readonly #waiting: Waiting
  /** Resolves when the other end is gone. */
  readonly closed: Promise<void>
  #number = 0

  private constructor(socket: Socket<undefined>, shared: { out: Outgoing; waiting: Waiting; closed: Promise<void> }) {
    this.#socket = socket
    this.#out = shared.out
    this.#waiting = shared.waiting
    this.closed = shared.closed
  }

  /** Throws where nobody listens. */
  static async connect(path: string): Promise<Control> {
    const lines = new Lines()
    const out = new Outgoing()
    const waiting: Waiting = new Map()
    const { promise: closed, resolve: close } = Promise.withResolvers<void>()
    const take = (line: string): void => {
      const { number, value, error } = JSON.parse(line) as Reply
      const waiter = waiting.get(number)
      waiting.delete(number)
      if (error === undefined) waiter?.resolve(value)
      else waiter?.reject(new Error(error))
    }
    const socket = await Bun.connect({
      unix: path,
      socket: {
        data: (own, bytes) => {
          try {
            for (const line of lines.push(bytes)) take(line)
          } catch {
            own.terminate()
          }
        },
        drain: (own) => out.flush(own),
        close: () => {
          for (const { reject } of waiting.values()) reject(new ResolverGone())
          waiting.clear()
          close()
        },
        error: (own) => void own.terminate(),
      },
    })
    // A process that lives for its work must not live for this connection.
    socket.unref()
    return new Control(socket, { out, waiting, closed })
  }

  async ask<Verb extends Request["verb"]>(request: Extract<Request, { verb: Verb }>): Promise<Replies[Verb]> {
    const number = ++this.#number
    const { promise, resolve, reject } = Promise.withResolvers<unknown>()
    this.#waiting.set(number, { resolve, reject })
    // One that hangs is as good as gone: whoever asked starts another.
    const timer = setTimeout(() => {
      reject(new ResolverGone())
      this.#socket.terminate()
    }, PATIENCE_MS)
    this.#socket.ref()
    this.#out.send(this.#socket, { ...request, number })
    return (await promise.finally(() => {
      clearTimeout(timer)
      this.#waiting.delete(number)
      if (this.#waiting.size === 0) this.#socket.unref()
    })) as Replies[Verb]
  }

  close(): void {
    this.#socket.terminate()
  }
}

export class ResolverGone extends Error {
  constructor() {
    super("the resolver has ended")
  }
}
