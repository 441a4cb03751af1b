// A bound on how many do the same thing at once; who comes later waits in line. The bound may change meanwhile.
import { throwIfCancelled } from "./cancelled.ts"

export class Slots {
  readonly #count: () => number
  #used = 0
  readonly #waiting: (() => void)[] = []

  constructor(count: number | (() => number)) {
    this.#count = typeof count === "number" ? () => count : count
  }

  get isFull(): boolean {
    return this.#used >= this.#count()
  }

  async hold<T>(signal: AbortSignal | undefined, body: () => Promise<T>): Promise<T> {
    await this.#enter(signal)
    try {
      return await body()
    } finally {
      this.#used--
      while (!this.isFull) {
        const next = this.#waiting.shift()
        if (next === undefined) break
        this.#used++
        next()
      }
    }
  }

  async #enter(signal: AbortSignal | undefined): Promise<void> {
    throwIfCancelled(signal)
    if (!this.isFull) {
      this.#used++
      return
    }
    const { promise, resolve } = Promise.withResolvers<boolean>()
    const given = (): void => resolve(true)
    const leave = (): void => {
      const place = this.#waiting.indexOf(given)
      if (place < 0) return
      this.#waiting.splice(place, 1)
      resolve(false)
    }
    this.#waiting.push(given)
    signal?.addEventListener("abort", leave, { once: true })
    const isOurs = await promise
    signal?.removeEventListener("abort", leave)
    if (!isOurs) throwIfCancelled(signal)
  }
}
