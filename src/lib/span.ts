// Spans of time as people give them for keeping things: days and weeks beside what Go's durations have, "14d", "2w", "36h".
import { DhowError } from "./errors.ts"
import { parseDuration } from "./timestamp.ts"

const DAY = 24 * 3_600_000

/** Milliseconds; throws invalid. */
export function parseSpan(text: string): number {
  const match = /^(?:(\d+)w)?(?:(\d+)d)?(.*)$/.exec(text)
  const rest = match?.[3] ?? ""
  const days = Number(match?.[1] ?? 0) * 7 + Number(match?.[2] ?? 0)
  const isDays = match?.[1] !== undefined || match?.[2] !== undefined
  const time = rest === "" && isDays ? 0 : parseDuration(rest)
  if (time === undefined || time < 0 || days > 100_000)
    throw new DhowError("invalid", `invalid time span "${text}": expected something like 14d, 2w or 36h`)
  return days * DAY + time
}
