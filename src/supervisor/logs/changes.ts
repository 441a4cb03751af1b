// Tells a follower when to look again: the log's directory has changed, the container has ended, or the client is gone.
// A change between two waits is remembered, so none is missed between looking and waiting.
import { type FSWatcher, watch } from "node:fs"
import { basename, dirname } from "node:path"
import { errnoName } from "../../lib/errors.ts"
import type { ReadLogOptions } from "../contract.ts"

/** Bun swallows an event that follows its like within some two milliseconds: what it told of is looked for after this. */
const SWALLOWED_MS = 5
const LONGEST_TIMER = 2 ** 31 - 1

export class LogChanges {
  readonly aborted: Promise<void>
  readonly #path: string
  readonly #onAbort: () => void
  readonly #signal: AbortSignal
  #watcher: FSWatcher | undefined
  #timer: ReturnType<typeof setTimeout> | undefined
  #again: ReturnType<typeof setTimeout> | undefined
  #changed = true
  #wake: (() => void) | undefined
  #ended = false

  constructor({ path, follow, until, signal }: Pick<ReadLogOptions, "path" | "follow" | "until" | "signal">) {
    this.#path = path
    this.#signal = signal
    const { promise, resolve } = Promise.withResolvers<void>()
    this.aborted = promise
    this.#onAbort = () => {
      resolve()
      this.#notice()
    }
    if (signal.aborted) this.#onAbort()
    else signal.addEventListener("abort", this.#onAbort, { once: true })
    const end = (): void => {
      this.#ended = true
      this.#notice()
    }
    follow?.then(end, end)
    if (follow !== undefined && until !== undefined)
      this.#timer = setTimeout(end, Math.min(LONGEST_TIMER, Math.max(0, until - Date.now())))
  }

  /** No more will be written: what can be read now is all there is. */
  get ended(): boolean {
    return this.#ended
  }

  /** Returns at once the first time, when the watch has just been set up. */
  async next(): Promise<void> {
    if (this.#watcher === undefined) this.#watch()
    if (!this.#changed && !this.#ended && !this.#signal.aborted)
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    this.#changed = false
  }

  close(): void {
    this.#signal.removeEventListener("abort", this.#onAbort)
    this.#watcher?.close()
    clearTimeout(this.#timer)
    clearTimeout(this.#again)
  }

  #watch(): void {
    try {
      const name = basename(this.#path)
      this.#watcher = watch(dirname(this.#path), (_event, file) => {
        // Others write beside it.
        if (file !== null && !file.startsWith(name)) return
        this.#notice()
        clearTimeout(this.#again)
        this.#again = setTimeout(() => this.#notice(), SWALLOWED_MS)
      })
      this.#watcher.on("error", () => this.#notice())
    } catch (error) {
      if (errnoName(error) !== "ENOENT") throw error
      // The container was removed, and its log with it.
      this.#ended = true
    }
  }

  #notice(): void {
    this.#changed = true
    this.#wake?.()
    this.#wake = undefined
  }
}
