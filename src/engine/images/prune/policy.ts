// What a prune is asked for: Docker's filters, and two of our own. `unused=14d` spares what was used since, `keep=3` the
// newest images of each repository. Whatever spares an image wins.
import { DhowError } from "../../../lib/errors.ts"
import { parseSpan } from "../../../lib/span.ts"
import { parseTimestamp } from "../../../lib/timestamp.ts"
import type { Filters } from "../../contract.ts"
import { booleanFilter, rejectUnknownFilters } from "../../filters.ts"

export type PrunePolicy = {
  /** Spare what has a tag. */
  readonly danglingOnly: boolean
  /** Spare what was created after, in milliseconds since 1970. */
  readonly until: number
  /** Spare what was used within so many milliseconds. */
  readonly unused: number
  /** Spare so many images of each repository, the newest. */
  readonly keep: number
  /** Spare what has not all of these. */
  readonly labels: readonly string[]
  /** Spare what has all of these, where there are any. */
  readonly unlabelled: readonly string[]
}

const ACCEPTED = ["dangling", "label", "label!", "until", "unused", "keep"]

export function prunePolicy(filters: Filters): PrunePolicy {
  rejectUnknownFilters(filters, ACCEPTED)
  const until = only(filters, "until")
  const unused = only(filters, "unused")
  const keep = only(filters, "keep")
  return {
    danglingOnly: booleanFilter(filters, "dangling", true),
    until: until === undefined ? Number.POSITIVE_INFINITY : parseTimestamp(until),
    unused: unused === undefined ? 0 : parseSpan(unused),
    keep: keep === undefined ? 0 : parseCount(keep),
    labels: filters.get("label") ?? [],
    unlabelled: filters.get("label!") ?? [],
  }
}

function only(filters: Filters, name: string): string | undefined {
  const values = filters.get(name) ?? []
  if (values.length > 1) throw new DhowError("invalid", `more than one ${name} filter specified`)
  return values[0]
}

function parseCount(text: string): number {
  if (!/^\d{1,6}$/.test(text)) throw new DhowError("invalid", `invalid filter 'keep=${text}': expected a number`)
  return Number(text)
}
