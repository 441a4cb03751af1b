// What a signal of a caller that has gone means to the work done for it.
import { DhowError } from "./errors.ts"

/** Throws cancelled, with the signal's reason as the cause, where it was given. */
export function throwIfCancelled(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw new DhowError("cancelled", "The request was cancelled", { cause: signal.reason })
}
