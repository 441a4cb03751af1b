// What a container has only while this engine process runs: its monitor, its attached clients, who waits for it, and the
// restart that is due. Everything here can be lost: reconciliation makes it anew.
import type { Monitor } from "../../supervisor/contract.ts"
import type { ContainerWaitResponse } from "../../wire/container.ts"
import type { WaitCondition } from "../contract.ts"
import { Clients } from "./clients.ts"
import type { HealthResult } from "./health.ts"
import type { HealthActions } from "./health-action.ts"

type Waiter = { readonly condition: WaitCondition; readonly resolve: (response: ContainerWaitResponse) => void }

export class Live {
  monitor: Monitor | undefined
  readonly clients = new Clients()
  readonly execIds = new Set<string>()
  /** `known` once the row has been asked what an earlier engine saw. */
  health: { failingStreak: number; results: readonly HealthResult[]; known: boolean } = {
    failingStreak: 0,
    results: [],
    known: false,
  }
  readonly healthActions: HealthActions = { timer: undefined, acting: false, last: 0, delay: 0 }
  /** Ends a run whose time is over. */
  timeLimit: NodeJS.Timeout | undefined
  /** Ends the health checks; there while they run. */
  healthChecks: AbortController | undefined
  /** A stop or kill by a user is under way: the exit it causes is not followed by a restart. */
  isStopping = false
  /** Restarts that are stopping it: --rm does not apply. */
  restarting = 0
  /** Settles when a restart by a user is over; there while one is under way. */
  restarted: Promise<void> | undefined
  /** The next restart by policy, and how long it was put off. */
  restart: { readonly timer: NodeJS.Timeout } | undefined
  restartDelay = 0
  /** Teardown after an exit, still going on behind the answer. */
  teardown: Promise<void> = Promise.resolve()
  readonly #waiters = new Set<Waiter>()
  #ended: PromiseWithResolvers<void> = Promise.withResolvers()

  /**
   * Settles when the run that is going on, or else the next one, has ended and its answer is recorded; and when there
   * will be none, because it could not be started or the container is removed.
   */
  get ended(): Promise<void> {
    return this.#ended.promise
  }

  runEnded(): void {
    const { resolve } = this.#ended
    this.#ended = Promise.withResolvers()
    resolve()
  }

  wait(condition: WaitCondition, signal: AbortSignal): Promise<ContainerWaitResponse> {
    const { promise, resolve } = Promise.withResolvers<ContainerWaitResponse>()
    const waiter = { condition, resolve }
    this.#waiters.add(waiter)
    signal.addEventListener("abort", () => this.#waiters.delete(waiter), { once: true })
    return promise
  }

  /** Answers those who wait for one of `conditions`. */
  answer(response: ContainerWaitResponse, conditions: readonly WaitCondition[]): void {
    for (const waiter of this.#waiters) {
      if (!conditions.includes(waiter.condition)) continue
      this.#waiters.delete(waiter)
      waiter.resolve(response)
    }
  }
}

export class LiveContainers {
  readonly #byId = new Map<string, Live>()

  /** Made at first need. */
  of(id: string): Live {
    let live = this.#byId.get(id)
    if (live === undefined) {
      live = new Live()
      this.#byId.set(id, live)
    }
    return live
  }

  find(id: string): Live | undefined {
    return this.#byId.get(id)
  }

  forget(id: string): void {
    this.#byId.delete(id)
  }
}
