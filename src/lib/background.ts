// Work that goes on behind an answer. It is counted, so that an orderly end of the process can wait for it.
import { describeError } from "./errors.ts"
import { log } from "./log.ts"

export class Background {
  readonly #running = new Set<Promise<void>>()

  add(work: Promise<void>): void {
    const tracked = work
      .catch((error) => log.error("Work behind an answer failed", { error: describeError(error) }))
      .finally(() => this.#running.delete(tracked))
    this.#running.add(tracked)
  }

  /** Resolves when nothing is going on any more. */
  async idle(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running)
  }
}
