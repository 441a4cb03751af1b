// What dhow alone can be asked to look after: a time limit, and what an unhealthy container is done to.

import { parseDuration } from "../../lib/duration.ts"
import type { HealthAction } from "../../wire/container.ts"

export function parseHealthAction(text: string): HealthAction {
  if (text === "none" || text === "restart" || text === "stop" || text === "kill") return text
  throw new Error(`invalid health action "${text}": expected none, restart, stop or kill`)
}

/** Whole seconds of "90", "90s" or "1h30m"; part of one counts as one. */
export function parseTimeLimit(text: string): number {
  const seconds = /^\d+$/.test(text) ? Number(text) : Math.ceil(parseDuration(text) / 1e9)
  if (!Number.isSafeInteger(seconds) || seconds < 0)
    throw new Error(`invalid time limit "${text}": expected 90s, 2h, or seconds`)
  return seconds
}
