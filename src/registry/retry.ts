// Trying again: what may pass by itself is waited for, longer each time, and as long as the registry asks for.
import { DhowError } from "../lib/errors.ts"
import { RefusedError } from "./answer-error.ts"
import { ConnectionError } from "./connection-error.ts"
import type { Answer } from "./exchange.ts"
import { retryAfter } from "./retry-after.ts"

export type Pace = {
  readonly tries: number
  /** Milliseconds before the second try; doubled each time. */
  readonly first: number
  readonly longest: number
}

export const PACE: Pace = { tries: 5, first: 250, longest: 30_000 }

export function isWorthRetrying(error: unknown): boolean {
  if (error instanceof ConnectionError) return !error.isFinal
  return error instanceof RefusedError && isPassing(error.status)
}

export function isPassing(status: number): boolean {
  return status === 408 || status === 429 || (status >= 500 && status !== 501 && status !== 505)
}

/** Undefined where waiting would take too long: then the refusal is the answer. */
export function delayBefore(attempt: number, pace: Pace, answer?: Pick<Answer, "headers">): number | undefined {
  const asked = retryAfter(answer?.headers.get("retry-after") ?? null)
  if (asked !== undefined) return asked > pace.longest * 2 ? undefined : asked
  const step = Math.min(pace.longest, pace.first * 2 ** attempt)
  // Spread, so that several transfers that broke together do not all come back together.
  return step * (0.75 + Math.random() / 2)
}

export async function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) throw cancelled(signal)
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const leave = (): void => reject(cancelled(signal))
  const timer = setTimeout(resolve, milliseconds)
  signal.addEventListener("abort", leave, { once: true })
  try {
    await promise
  } finally {
    clearTimeout(timer)
    signal.removeEventListener("abort", leave)
  }
}

function cancelled(signal: AbortSignal): DhowError {
  return new DhowError("cancelled", "The request was cancelled", { cause: signal.reason })
}
