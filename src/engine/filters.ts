// Docker's filters: names or-ed within, and-ed between.
import { DhowError } from "../lib/errors.ts"
import { parseTimestamp } from "../lib/timestamp.ts"
import type { Filters } from "./contract.ts"

/** True when the filter is absent or one of its values fits. */
export function hasFilter(filters: Filters, name: string, fits: (value: string) => boolean): boolean {
  const values = filters.get(name)
  return values === undefined || values.length === 0 || values.some(fits)
}

/** `label=key`, `label=key=value` must all fit; `label!=…` must none. */
export function matchLabels(filters: Filters, labels: Readonly<Record<string, string>>): boolean {
  const fits = (value: string): boolean => {
    const at = value.indexOf("=")
    if (at < 0) return Object.hasOwn(labels, value)
    return labels[value.slice(0, at)] === value.slice(at + 1)
  }
  const wanted = filters.get("label") ?? []
  const unwanted = filters.get("label!") ?? []
  return wanted.every(fits) && !unwanted.some(fits)
}

export function rejectUnknownFilters(filters: Filters, known: readonly string[]): void {
  for (const name of filters.keys())
    if (!known.includes(name)) throw new DhowError("invalid", `invalid filter '${name}'`)
}

/** A filter that is either true or false: 1, true, 0 or false. Throws invalid for both, and for anything else. */
export function booleanFilter(filters: Filters, name: string, fallback: boolean): boolean {
  const values = filters.get(name) ?? []
  if (values.length === 0) return fallback
  const yes = values.some((value) => value === "1" || value === "true")
  const no = values.some((value) => value === "0" || value === "false")
  if (yes === no) throw new DhowError("invalid", `invalid filter '${name}=[${values.join(" ")}]'`)
  return yes
}

/** The filter "until" of a prune, in milliseconds since 1970; undefined where it is not there. */
export function untilFilter(filters: Filters): number | undefined {
  const [text, ...more] = filters.get("until") ?? []
  if (more.length > 0) throw new DhowError("invalid", "more than one until filter specified")
  return text === undefined ? undefined : parseTimestamp(text)
}
