// What a log driver is to whoever feeds it: it takes messages in order, says when they are out of our hands, and fails as
// a whole batch, which is then sent again.
import type { LogMessage } from "./messages.ts"

export interface LogDriver {
  /** Connects. Throws what the start of a container then fails with. */
  open(): Promise<void>
  /** Resolves when all were taken, as far as the protocol tells; throws where they have to be sent again. */
  send(messages: readonly LogMessage[], signal: AbortSignal): Promise<void>
  close(): void
  /** What it needs to go on after a crash, right after a `send`. */
  save?(): unknown
  /** Before the first `send`; `checkpoint` keeps what `save` gives at once. */
  restore?(saved: unknown, checkpoint: () => void): void
  readonly retry?: RetryPolicy
}

export type RetryPolicy = {
  /** Failures after which a batch is given up; never, where absent. */
  readonly limit?: number | undefined
  /** Milliseconds between two tries; where absent, growing from 100 ms to 10 s. */
  readonly delay?: number | undefined
}
