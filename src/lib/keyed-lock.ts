// One lock per key, held as a scope. Held around state changes only: never around wait, attach, logs or a transfer,
// and a holder takes no second lock.

export class KeyedLock {
  readonly #tails = new Map<string, Promise<void>>()

  /** Runs `body` after every earlier holder of `key` has finished, whether it succeeded or failed. */
  async hold<T>(key: string, body: () => T | Promise<T>): Promise<T> {
    const before = this.#tails.get(key)
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#tails.set(key, promise)
    if (before !== undefined) await before
    try {
      return await body()
    } finally {
      resolve()
      if (this.#tails.get(key) === promise) this.#tails.delete(key)
    }
  }

  isHeld(key: string): boolean {
    return this.#tails.has(key)
  }
}
