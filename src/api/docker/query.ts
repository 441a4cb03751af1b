// Query parameters with Docker's rules for what is true, a number, a filter.
import type { Filters } from "../../engine/contract.ts"
import { DhowError } from "../../lib/errors.ts"
import { parseTimestamp } from "../../lib/timestamp.ts"
import { type Platform, parsePlatform } from "../../oci/platform.ts"

const FALSE = new Set(["", "0", "no", "false", "none"])
const UINT32_MAX = 0xffff_ffff

export class Query {
  readonly #parameters: URLSearchParams

  constructor(text: string) {
    const fault = /%(?![0-9a-fA-F]{2}).{0,2}/.exec(text)?.[0]
    if (fault !== undefined) throw new DhowError("invalid", `invalid URL escape ${JSON.stringify(fault)}`)
    if (text.includes(";")) throw new DhowError("invalid", "invalid semicolon separator in query")
    this.#parameters = new URLSearchParams(text)
  }

  has(name: string): boolean {
    return this.#parameters.has(name)
  }

  /** The first value, or "" where there is none. */
  text(name: string): string {
    return this.#parameters.get(name) ?? ""
  }

  /** The first value, or undefined where there is none or it is empty. */
  optional(name: string): string | undefined {
    return this.#parameters.get(name) || undefined
  }

  all(name: string): readonly string[] {
    return this.#parameters.getAll(name)
  }

  bool(name: string): boolean {
    return !FALSE.has(this.text(name).trim().toLowerCase())
  }

  boolOr(name: string, otherwise: boolean): boolean {
    return this.has(name) ? this.bool(name) : otherwise
  }

  /** A whole number, where there is one. */
  integer(name: string): number | undefined {
    return this.optional(name) === undefined ? undefined : this.number(name)
  }

  /** A whole number that must be there. */
  number(name: string): number {
    const text = this.text(name)
    const fault = (what: string) => new DhowError("invalid", `strconv.Atoi: parsing ${JSON.stringify(text)}: ${what}`)
    if (!/^[+-]?\d+$/.test(text)) throw fault("invalid syntax")
    if (!Number.isSafeInteger(Number(text))) throw fault("value out of range")
    return Number(text)
  }

  uint32(name: string): number {
    const text = this.text(name)
    if (!/^-?\d+$/.test(text)) throw new DhowError("invalid", "invalid syntax")
    const value = Number(text)
    if (text.startsWith("-") || value > UINT32_MAX) throw new DhowError("invalid", "value out of range")
    return value
  }

  /** Milliseconds since 1970. */
  time(name: string): number | undefined {
    const text = this.optional(name)
    if (text === undefined) return undefined
    return parseTimestamp(text)
  }

  /** "linux/arm64", or the JSON object that newer routes take. */
  platform(name = "platform"): Platform | undefined {
    const text = this.optional(name)
    if (text === undefined) return undefined
    return text.startsWith("{") ? parsePlatformJson(text) : parsePlatform(text)
  }

  /** All values of a parameter that may be repeated. */
  platforms(name: string): readonly Platform[] {
    return this.#parameters.getAll(name).flatMap((text) => {
      if (text === "") return []
      return text.startsWith("{") ? parsePlatformJson(text) : parsePlatform(text)
    })
  }

  filters(): Filters {
    return parseFilters(this.text("filters"))
  }
}

/** Both of Docker's forms: {"label":["a"]} and the older {"label":{"a":true}}. */
export function parseFilters(text: string): Filters {
  const filters = new Map<string, readonly string[]>()
  if (text === "") return filters
  const invalid = (cause?: unknown): DhowError =>
    new DhowError("invalid", `invalid filter: ${JSON.stringify(text)} is not a JSON object of lists`, { cause })
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch (error) {
    throw invalid(error)
  }
  if (parsed === null) return filters
  if (typeof parsed !== "object" || Array.isArray(parsed)) throw invalid()
  for (const [name, values] of Object.entries(parsed)) {
    if (Array.isArray(values) && values.every((value) => typeof value === "string")) filters.set(name, values)
    else if (isTruthTable(values)) filters.set(name, Object.keys(values))
    else throw invalid()
  }
  return filters
}

function isTruthTable(value: unknown): value is Record<string, boolean> {
  if (value === null || typeof value !== "object" || Array.isArray(value)) return false
  return Object.values(value).every((entry) => typeof entry === "boolean")
}

function parsePlatformJson(text: string): Platform {
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch (cause) {
    throw new DhowError("invalid", "failed to parse platform", { cause })
  }
  const { os, architecture, variant } = (parsed ?? {}) as Record<string, unknown>
  if (typeof os !== "string" || typeof architecture !== "string" || os === "" || architecture === "")
    throw new DhowError("invalid", "both OS and Architecture must be provided")
  const suffix = typeof variant === "string" && variant !== "" ? `/${variant}` : ""
  return parsePlatform(`${os}/${architecture}${suffix}`)
}
