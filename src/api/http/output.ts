// What goes out on one connection, in order. A write that the kernel does not take whole is kept (copied: the caller's
// bytes are his again when write returns) and `false` tells the caller to wait for `drained`.
import { copyOf } from "../../lib/bytes.ts"

/** The little of Bun's socket that is used here. */
export type ByteSocket = {
  write(data: Uint8Array, offset?: number, length?: number): number
  shutdown(): void
}

// Small pieces are put together here first: copying 64 KiB is cheaper than a second system call. Never held across an
// await, so one serves every connection.
const scratch = Buffer.allocUnsafe(128 * 1024)

export class Output {
  readonly #socket: ByteSocket
  #queue: Uint8Array[] = []
  #waiters: (() => void)[] = []
  #ending = false
  #gone = false

  constructor(socket: ByteSocket) {
    this.#socket = socket
  }

  /** Whether earlier bytes still wait for the client. */
  get backlogged(): boolean {
    return this.#queue.length > 0
  }

  write(chunk: Uint8Array): boolean {
    if (this.#gone || this.#ending || chunk.length === 0) return !this.backlogged
    if (this.#queue.length > 0) {
      this.#queue.push(copyOf(chunk))
      return false
    }
    const written = this.#socket.write(chunk)
    if (written === chunk.length) return true
    if (written < 0) {
      this.gone()
      return true
    }
    this.#queue.push(copyOf(chunk.subarray(written)))
    return false
  }

  /** As one `write`, without the pieces mixing with anything else. */
  writeGathered(pieces: readonly Uint8Array[]): boolean {
    let total = 0
    for (const piece of pieces) total += piece.length
    if (total <= scratch.length) {
      let at = 0
      for (const piece of pieces) {
        scratch.set(piece, at)
        at += piece.length
      }
      return this.write(scratch.subarray(0, total))
    }
    let taken = true
    for (const piece of pieces) taken = this.write(piece)
    return taken
  }

  /** Resolves when nothing waits any more, or the client is gone. */
  drained(): Promise<void> {
    if (this.#gone || this.#queue.length === 0) return Promise.resolve()
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#waiters.push(resolve)
    return promise
  }

  /** The socket takes bytes again. */
  drain(): void {
    for (let head = this.#queue[0]; head !== undefined; head = this.#queue[0]) {
      const written = this.#socket.write(head)
      if (written < 0) {
        this.gone()
        return
      }
      if (written < head.length) {
        this.#queue[0] = head.subarray(written)
        return
      }
      this.#queue.shift()
    }
    this.#settle()
    if (this.#ending) this.#socket.shutdown()
  }

  /** Closes our direction once everything is written. */
  end(): void {
    if (this.#gone || this.#ending) return
    this.#ending = true
    if (this.#queue.length === 0) this.#socket.shutdown()
  }

  /** The client cannot be written to any more: what waits is dropped. */
  gone(): void {
    this.#gone = true
    this.#queue = []
    this.#settle()
  }

  #settle(): void {
    const waiters = this.#waiters
    this.#waiters = []
    for (const resolve of waiters) resolve()
  }
}
