// A moment as users write it in `until` and `since`: a Go duration back from now, seconds since 1970, or RFC 3339.
import { DhowError } from "../lib/errors.ts"
import { parseTimestamp } from "../lib/time.ts"

const UNITS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
}

/** Milliseconds since 1970. */
export function parseMoment(text: string, now: number = Date.now()): number {
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text) * 1000
  const duration = parseDuration(text)
  if (duration !== undefined) return now - duration
  const full = /^\d{4}-\d\d-\d\d$/.test(text)
    ? `${text}T00:00:00Z`
    : /[Zz]|[+-]\d\d:\d\d$/.test(text)
      ? text
      : `${text}Z`
  const moment = parseTimestamp(full)
  if (Number.isNaN(moment))
    throw new DhowError("invalid", `invalid time "${text}": neither a duration, a Unix time nor RFC 3339`)
  return moment
}

/** Milliseconds of "1h30m", undefined where it is no duration. */
export function parseDuration(text: string): number | undefined {
  if (!/^(?:\d+(?:\.\d+)?(?:ns|us|µs|ms|s|m|h))+$/.test(text)) return undefined
  let sum = 0
  for (const [, number = "0", unit = "s"] of text.matchAll(/(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)/g))
    sum += Number(number) * (UNITS[unit] ?? 0)
  return sum
}
