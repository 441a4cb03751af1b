// Things kept ready. take() never waits: it makes one when none is ready. Refilling happens one at a time and away from the
// starts that took: when a container has ended, or a while after the last look.
import { log } from "../lib/log.ts"

const LATER_MS = 200
const SOON_MS = 5

export class Pool<T> {
  readonly #size: () => number
  readonly #make: () => T
  readonly #ready: T[] = []
  #timer: NodeJS.Timeout | undefined
  #closed = false

  /** The size may change; what is ready beyond it is taken before new ones are made. */
  constructor(size: () => number, make: () => T) {
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

  /** This is a good moment to refill: nobody is being started. */
  refill(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.fill(SOON_MS)
  }

  /** Begins to refill in the background, after a pause. */
  fill(pause = LATER_MS): void {
    if (this.#closed || this.#timer !== undefined || this.#ready.length >= this.#size()) return
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      if (this.#closed) return
      try {
        this.#ready.push(this.#make())
        this.fill(SOON_MS)
      } catch (error) {
        // Whoever takes next tries again, and sees the error.
        log.warn("a network namespace could not be made ready", { error: String(error) })
      }
    }, pause)
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
