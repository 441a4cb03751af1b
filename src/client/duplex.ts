// A byte stream over a unix socket with pull-style reading: what arrives is queued, and the peer is paused when the
// queue is full. Reading and writing end separately, as a hijacked connection needs.
import type { Socket } from "bun"

const HIGH_WATER = 1 << 20

export class Duplex {
  readonly #queue: Uint8Array[] = []
  #queued = 0
  #paused = false
  #ended = false
  #failure: Error | undefined
  #wakeReader: (() => void) | undefined
  readonly #unsent: Uint8Array[] = []
  #wakeWriters: (() => void)[] = []
  #endWhenSent = false
  #socket!: Socket<undefined>

  /** Rejects with a system error (ENOENT, ECONNREFUSED, EACCES) when nobody listens. */
  static async open(path: string): Promise<Duplex> {
    const duplex = new Duplex()
    duplex.#socket = await Bun.connect({
      unix: path,
      allowHalfOpen: true,
      socket: {
        // Without a copy: Bun hands a fresh buffer to each call.
        data: (_socket, chunk) => duplex.#arrived(chunk),
        drain: () => duplex.#drain(),
        end: () => duplex.#finish(),
        close: (_socket, error) => duplex.#finish(error ?? undefined),
        error: (_socket, error) => duplex.#finish(error),
      },
    })
    return duplex
  }

  #arrived(chunk: Uint8Array): void {
    this.#queue.push(chunk)
    this.#queued += chunk.byteLength
    if (this.#queued > HIGH_WATER && !this.#paused) {
      this.#paused = true
      this.#socket.pause()
    }
    this.#wake()
  }

  #wake(): void {
    const wake = this.#wakeReader
    this.#wakeReader = undefined
    wake?.()
  }

  #finish(error?: Error): void {
    this.#ended = true
    this.#failure ??= error
    this.#wake()
    this.#wakeAllWriters()
  }

  /** The next bytes; undefined once the peer has closed its side. */
  async read(): Promise<Uint8Array | undefined> {
    while (true) {
      const chunk = this.#queue.shift()
      if (chunk !== undefined) {
        this.#queued -= chunk.byteLength
        if (this.#paused && this.#queued < HIGH_WATER / 2) {
          this.#paused = false
          this.#socket.resume()
        }
        return chunk
      }
      if (this.#failure !== undefined) throw this.#failure
      if (this.#ended) return undefined
      await new Promise<void>((resolve) => {
        this.#wakeReader = resolve
      })
    }
  }

  /** Puts back what was read too far. */
  unread(chunk: Uint8Array): void {
    if (chunk.byteLength === 0) return
    this.#queue.unshift(chunk)
    this.#queued += chunk.byteLength
  }

  /** Resolves when the kernel has taken the bytes; a peer that went away swallows them. */
  async write(chunk: Uint8Array): Promise<void> {
    if (this.#unsent.length === 0) {
      const sent = this.#socket.write(chunk)
      if (sent === chunk.byteLength || sent < 0) return
      this.#unsent.push(chunk.subarray(sent))
    } else this.#unsent.push(chunk)
    while (this.#unsent.length > 0 && !this.#ended)
      await new Promise<void>((resolve) => this.#wakeWriters.push(resolve))
  }

  #drain(): void {
    while (this.#unsent.length > 0) {
      const chunk = this.#unsent[0]!
      const sent = this.#socket.write(chunk)
      if (sent >= 0 && sent < chunk.byteLength) {
        this.#unsent[0] = chunk.subarray(sent)
        return
      }
      this.#unsent.shift()
    }
    if (this.#endWhenSent) this.#socket.shutdown()
    this.#wakeAllWriters()
  }

  #wakeAllWriters(): void {
    const waiting = this.#wakeWriters
    this.#wakeWriters = []
    for (const wake of waiting) wake()
  }

  /** Ends our side; the peer's answer can still be read. */
  endWriting(): void {
    if (this.#unsent.length > 0) this.#endWhenSent = true
    else this.#socket.shutdown()
  }

  close(): void {
    this.#socket.terminate()
  }

  get closed(): boolean {
    return this.#ended
  }
}
