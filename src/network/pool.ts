// Things kept ready. take() never waits: it makes one when none is ready. Refilling happens one at a time, a little after
// the last take, so that it falls between requests and not into a burst of them.
import { log } from "../lib/log.ts"

const PAUSE_MS = 15

export class Pool<T> {
  readonly #size: number
  readonly #make: () => T
  readonly #ready: T[] = []
  #timer: NodeJS.Timeout | undefined
  #closed = false

  constructor(size: number, make: () => T) {
    this.#size = size
    this.#make = make
  }

  /** Puts in what was made earlier. */
  adopt(ready: T): void {
    this.#ready.push(ready)
  }

  take(): T {
    const ready = this.#ready.shift() ?? this.#make()
    this.fill()
    return ready
  }

  /** Begins to refill in the background. */
  fill(): void {
    if (this.#closed || this.#timer !== undefined || this.#ready.length >= this.#size) return
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      if (this.#closed) return
      try {
        this.#ready.push(this.#make())
        this.fill()
      } catch (error) {
        // Whoever takes next tries again, and sees the error.
        log.warn("a network namespace could not be made ready", { error: String(error) })
      }
    }, PAUSE_MS)
    this.#timer.unref()
  }

  /** Takes out all that is ready, without making more. */
  drain(): T[] {
    return this.#ready.splice(0)
  }

  close(): void {
    this.#closed = true
    clearTimeout(this.#timer)
  }
}
