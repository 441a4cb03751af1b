// Ages as users write them: Go's durations, and days: "36h", "14d".

import { parseDuration } from "../../lib/duration.ts"
import { checkedBy } from "../../lib/size.ts"

/** Seconds. */
export function parseAge(text: string): number {
  const days = /^(\d+)d$/.exec(text)?.[1]
  const seconds = days === undefined ? parseDuration(text) / 1e9 : Number(days) * 86_400
  if (seconds < 0) throw new Error(`invalid age: "${text}" is negative`)
  return seconds
}

export const checkAge = checkedBy(parseAge)

/** "14d", "36h", "90s" */
export function formatAge(seconds: number): string {
  if (seconds % 86_400 === 0) return `${seconds / 86_400}d`
  return seconds % 3600 === 0 ? `${seconds / 3600}h` : `${seconds}s`
}
