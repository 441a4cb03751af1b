// What has to be undone when a change of several steps fails. Every step is tried, whatever became of the others, and a
// step that fails is logged: what the caller sees is why the change failed, not why its undoing did.
import { describeError } from "./errors.ts"
import { log } from "./log.ts"

export class Undo implements AsyncDisposable {
  readonly #what: string
  readonly #steps: (() => unknown)[] = []

  /** `what` is being changed, for the log: 'start of container "web"'. */
  constructor(what: string) {
    this.#what = what
  }

  defer(step: () => unknown): void {
    this.#steps.push(step)
  }

  /** The change has succeeded. */
  forget(): void {
    this.#steps.length = 0
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const step of this.#steps.splice(0).reverse()) {
      try {
        await step()
      } catch (error) {
        log.error(`Cannot undo all of the ${this.#what}`, { error: describeError(error) })
      }
    }
  }
}
