// Points in time as Docker's clients write them: seconds since 1970 with an optional fraction, a Go duration back from
// now ("1h30m"), or a date with as much of RFC 3339 as the user gave, local time where no zone is named.
import { DhowError } from "./errors.ts"

const UNIT_MS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  μs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
}
const DURATION = /^[+-]?(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+$/
const DATE = /^(\d{4}-\d\d-\d\d)(?:T(\d\d)(?::(\d\d)(?::(\d\d(?:\.\d{1,9})?))?)?)?(Z|[+-]\d\d:\d\d)?$/i

/** Milliseconds of a Go duration ("1h30m", "-1.5s"), or undefined where the text is none. */
export function parseDuration(text: string): number | undefined {
  if (text === "0") return 0
  if (!DURATION.test(text)) return undefined
  let total = 0
  for (const [, number = "", unit = ""] of text.matchAll(/(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)/g))
    total += Number(number) * (UNIT_MS[unit] ?? 0)
  return text.startsWith("-") ? -total : total
}

/** Milliseconds since 1970; throws invalid. */
export function parseTimestamp(text: string, now = Date.now()): number {
  const duration = text === "0" ? undefined : parseDuration(text)
  if (duration !== undefined) return now - duration
  if (/^-?\d+(?:\.\d+)?$/.test(text)) return Number(text) * 1000
  const [, day, hour = "00", minute = "00", second = "00", zone = ""] = DATE.exec(text) ?? []
  const time = day === undefined ? Number.NaN : Date.parse(`${day}T${hour}:${minute}:${second}${zone.toUpperCase()}`)
  if (Number.isNaN(time)) throw new DhowError("invalid", `failed to parse value as time or duration: "${text}"`)
  // Date.parse() drops what is below a millisecond.
  const below = /\.\d{3}(\d+)/.exec(second)?.[1]
  return below === undefined ? time : time + Number(`0.${below}`)
}
