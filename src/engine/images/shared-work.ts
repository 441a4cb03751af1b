// One piece of work for everybody who asks for it at the same time. Each listener hears the rest of the progress; the
// work is cancelled only when the last one has left.
import { DhowError } from "../../lib/errors.ts"
import type { Progress } from "../contract.ts"

type Listener = { readonly progress: Progress; readonly signal: AbortSignal }
type Work<T> = (listener: Listener) => Promise<T>

export class SharedWork<T> {
  readonly #running = new Map<string, { result: Promise<T>; listeners: Set<Listener>; abort: AbortController }>()

  /** Joins the work under way for `key`, or begins it. */
  async join(key: string, listener: Listener, work: Work<T>): Promise<T> {
    const running = this.#running.get(key) ?? this.#begin(key, work)
    const left = Promise.withResolvers<void>()
    const leave = (): void => {
      running.listeners.delete(listener)
      if (running.listeners.size === 0) running.abort.abort(listener.signal.reason)
      left.resolve()
    }
    running.listeners.add(listener)
    listener.signal.addEventListener("abort", leave)
    if (listener.signal.aborted) leave()
    try {
      const outcome = await Promise.race([running.result.then((value) => ({ value })), left.promise])
      if (outcome !== undefined) return outcome.value
      // Whoever leaves last waits for the undoing: when this returns nothing is left behind.
      if (running.listeners.size === 0) await running.result
    } catch (error) {
      if (!listener.signal.aborted) throw error
    } finally {
      listener.signal.removeEventListener("abort", leave)
      running.listeners.delete(listener)
    }
    throw new DhowError("cancelled", "The request was cancelled", { cause: listener.signal.reason })
  }

  #begin(key: string, work: Work<T>) {
    const listeners = new Set<Listener>()
    const abort = new AbortController()
    const tell: Progress = (line) => {
      for (const listener of listeners) listener.progress(line)
    }
    const result = work({ progress: tell, signal: abort.signal }).finally(() => {
      if (this.#running.get(key) === running) this.#running.delete(key)
    })
    result.catch(() => undefined)
    const running = { result, listeners, abort }
    this.#running.set(key, running)
    // Nobody joins what is being cancelled: the next one begins anew.
    abort.signal.addEventListener("abort", () => {
      if (this.#running.get(key) === running) this.#running.delete(key)
    })
    return running
  }
}
