// The live streams of one process: one connection to conmon's attach socket, fanned out to any number of listeners.
// conmon writes to that connection with blocking writes and before it reads on, so a listener that pauses slows the
// process down and nothing is dropped. When ANY connection closes, conmon closes the process's input unless it was
// started with --leave-stdin-open: so there is one connection only, and it stays while that would matter.
//
// Order at the end: conmon sends the last bytes, closes the connection, writes the exit file, exits. So `end` comes
// after the last byte, exactly once, but `Monitor.exited` may settle before a slow listener has seen its `end`.

import { copyOf } from "../lib/bytes.ts"
import { log } from "../lib/log.ts"
import { libc } from "../lib/syscalls/libc.ts"
import { connectAttach } from "./attach-socket.ts"
import type { StreamListener, Streams } from "./contract.ts"

/** conmon reads a packet into 32 KiB and loses what is beyond; a pipe takes this much without delay. */
const INPUT_PACKET = 8 * 1024
const INPUT_HIGH_WATER = 64 * 1024
const STDERR_TAG = 3
const SHUT_WR = 1
/** From the half-close of a connection that nobody reads to its end. */
const PARTING_MS = 1000

export type HubOptions = { readonly bundle: string; readonly stdin: boolean; readonly leaveStdinOpen: boolean }

type Listening = { readonly listener: StreamListener; paused: boolean }
type Connection = { readonly fd: number; socket: Bun.Socket | undefined }

export class StreamHub implements Streams {
  readonly #options: HubOptions
  readonly #listening = new Set<Listening>()
  readonly #queue: Uint8Array[] = []
  #queued = 0
  #drainWaiters: (() => void)[] = []
  #connection: Connection | undefined
  #paused = 0
  /** The last listener has left. Not so before the first one came: the process's first bytes are for it. */
  #abandoned = false
  #inputState: "open" | "ending" | "ended" = "open"
  #ended = false

  constructor(options: HubOptions) {
    this.#options = options
  }

  get ended(): boolean {
    return this.#ended
  }

  /** False where the process, or its conmon, is gone. */
  async connect(): Promise<boolean> {
    this.#abandoned = false
    if (this.#connection !== undefined) return true
    if (this.#ended) return false
    // Connected within this turn: whatever the process writes from here on waits in the socket.
    const fd = connectAttach(this.#options.bundle)
    if (fd === undefined) {
      this.#finish()
      return false
    }
    const connection: Connection = { fd, socket: undefined }
    this.#connection = connection
    const closed = (): void => {
      if (this.#connection === connection) this.#finish()
    }
    const options = {
      fd,
      socket: {
        data: (_socket: Bun.Socket, packet: Uint8Array) => {
          if (this.#connection === connection) this.#deliver(packet)
        },
        drain: () => {
          if (this.#connection === connection) this.#flush()
        },
        end: closed,
        error: (_socket: Bun.Socket, error: Error) =>
          log.debug("Attach connection failed", { bundle: this.#options.bundle, error: error.message }),
        close: closed,
      },
    }
    const socket = await Bun.connect(options as unknown as Bun.UnixSocketOptions<undefined>)
    connection.socket = socket
    if (this.#connection !== connection) socket.terminate()
    else {
      if (this.#paused > 0) socket.pause()
      this.#flush()
    }
    return true
  }

  listen(listener: StreamListener): () => void {
    const listening: Listening = { listener, paused: false }
    this.#listening.add(listening)
    this.#abandoned = false
    this.#wake()
    return () => {
      if (!this.#listening.delete(listening)) return
      if (listening.paused) this.#resume(listening)
      this.#abandoned = this.#listening.size === 0
      this.#disconnectIfUnused()
    }
  }

  write(chunk: Uint8Array): boolean {
    if (this.#ended || this.#inputState !== "open" || !this.#options.stdin) return true
    for (let at = 0; at < chunk.length; at += INPUT_PACKET) {
      const packet = chunk.subarray(at, at + INPUT_PACKET)
      if (this.#queue.length === 0 && this.#send(packet)) continue
      this.#queue.push(copyOf(packet))
      this.#queued += packet.length
    }
    this.#wake()
    return this.#queued < INPUT_HIGH_WATER
  }

  inputDrained(): Promise<void> {
    if (this.#queued === 0 || this.#ended) return Promise.resolve()
    return new Promise((resolve) => this.#drainWaiters.push(resolve))
  }

  endInput(): void {
    if (this.#ended || this.#inputState !== "open" || !this.#options.stdin || this.#options.leaveStdinOpen) return
    this.#inputState = "ending"
    this.#wake()
    this.#flush()
  }

  /** Opens the connection again after an unread time. */
  #wake(): void {
    if (this.#connection !== undefined) return
    if (this.#ended) this.#finish()
    else
      this.connect().catch((error: unknown) => {
        log.warn("Cannot attach to a container's streams", { bundle: this.#options.bundle, error: String(error) })
        this.#finish()
      })
  }

  #deliver(packet: Uint8Array): void {
    const stream = packet[0] === STDERR_TAG ? 2 : 1
    const chunk = packet.subarray(1)
    for (const listening of this.#listening) {
      if (listening.listener.data(stream, chunk) || listening.paused) continue
      listening.paused = true
      if (this.#paused++ === 0) this.#connection?.socket?.pause()
      const resume = (): void => this.#resume(listening)
      listening.listener.drained().then(resume, resume)
    }
  }

  #resume(listening: Listening): void {
    if (!listening.paused) return
    listening.paused = false
    if (--this.#paused === 0) this.#connection?.socket?.resume()
  }

  /** One packet, whole or not at all. */
  #send(packet: Uint8Array): boolean {
    const socket = this.#connection?.socket
    return socket !== undefined && socket.write(packet) === packet.length
  }

  #flush(): void {
    for (let packet = this.#queue[0]; packet !== undefined; packet = this.#queue[0]) {
      if (!this.#send(packet)) return
      this.#queue.shift()
      this.#queued -= packet.length
    }
    for (const resolve of this.#drainWaiters.splice(0)) resolve()
    if (this.#inputState === "ending" && this.#connection?.socket !== undefined) {
      this.#inputState = "ended"
      // conmon takes this as the end of the input and goes on sending output over the same connection.
      libc().shutdown(this.#connection.fd, SHUT_WR)
    }
    this.#disconnectIfUnused()
  }

  #disconnectIfUnused(): void {
    if (!this.#abandoned || this.#queue.length > 0 || this.#connection?.socket === undefined) return
    const closingIsHarmless = !this.#options.stdin || this.#options.leaveStdinOpen || this.#inputState === "ended"
    if (!closingIsHarmless) return
    const { fd, socket } = this.#connection
    this.#connection = undefined
    // conmon 2.1 may die of a connection that closes while it writes to it. So it is told first that nothing more comes,
    // which lets go of half of its side, and what it still writes meanwhile is taken and dropped.
    libc().shutdown(fd, SHUT_WR)
    socket.resume()
    setTimeout(() => socket.terminate(), PARTING_MS).unref()
  }

  #finish(): void {
    this.#ended = true
    this.#connection = undefined
    this.#queue.length = 0
    this.#queued = 0
    for (const resolve of this.#drainWaiters.splice(0)) resolve()
    const listening = [...this.#listening]
    this.#listening.clear()
    for (const { listener } of listening) listener.end()
  }
}
