// How Go prints values (%v and the verbs of printf), for values that came from JSON.
import type { Value, ValueMap } from "./nodes.ts"

export function formatValue(value: Value): string {
  if (value === undefined) return "<no value>"
  if (value === null) return "<nil>"
  if (typeof value === "string") return value
  if (typeof value === "number") return formatNumber(value)
  if (typeof value === "object") {
    if (Array.isArray(value)) return `[${value.map(formatValue).join(" ")}]`
    const entries = Object.entries(value as ValueMap).sort(([a], [b]) => (a < b ? -1 : 1))
    return `map[${entries.map(([name, one]) => `${name}:${formatValue(one)}`).join(" ")}]`
  }
  return typeof value === "function" ? "<function>" : String(value)
}

function formatNumber(value: number): string {
  if (Number.isInteger(value)) return Object.is(value, -0) ? "0" : BigInt(value).toString()
  return String(value).replace(/e([+-])(\d)$/, "e$10$2")
}

const VERB = /%([-+# 0]*)(\d+|\*)?(?:\.(\d+))?([a-zA-Z%])/g

export function sprintf(format: string, args: readonly Value[]): string {
  let next = 0
  const text = format.replace(
    VERB,
    (all, flags: string, width: string | undefined, precision: string | undefined, verb: string) => {
      if (verb === "%") return "%"
      const wide = width === "*" ? Number(args[next++]) : Number(width ?? 0)
      if (next >= args.length) return `%!${verb}(MISSING)`
      const shown = formatVerb(verb, args[next++], precision === undefined ? undefined : Number(precision))
      if (shown === undefined) return `%!${all.slice(1)}`
      if (flags.includes("-")) return shown.padEnd(wide)
      if (!flags.includes("0") || !/^[+-]?[\d.]+$/.test(shown)) return shown.padStart(wide)
      const sign = /^[+-]/.exec(shown)?.[0] ?? ""
      return sign + shown.slice(sign.length).padStart(wide - sign.length, "0")
    },
  )
  if (next >= args.length) return text
  return `${text}%!(EXTRA ${args
    .slice(next)
    .map((value) => `${goType(value)}=${formatValue(value)}`)
    .join(", ")})`
}

function formatVerb(verb: string, value: Value, precision: number | undefined): string | undefined {
  switch (verb) {
    case "v":
      return formatValue(value)
    case "s": {
      const text = formatValue(value)
      return precision === undefined ? text : [...text].slice(0, precision).join("")
    }
    case "q":
      return JSON.stringify(formatValue(value))
    case "d":
      return typeof value === "number" || typeof value === "bigint"
        ? formatValue(value)
        : `%!d(${goType(value)}=${formatValue(value)})`
    case "f":
      return Number(value).toFixed(precision ?? 6)
    case "g":
      return formatNumber(precision === undefined ? Number(value) : Number(Number(value).toPrecision(precision)))
    case "x":
    case "X": {
      const hex = typeof value === "string" ? Buffer.from(value).toString("hex") : Number(value).toString(16)
      return verb === "X" ? hex.toUpperCase() : hex
    }
    case "o":
      return Number(value).toString(8)
    case "b":
      return Number(value).toString(2)
    case "c":
      return String.fromCodePoint(Number(value))
    case "t":
      return String(value)
    case "T":
      return goType(value)
    default:
      return undefined
  }
}

export function goType(value: Value): string {
  if (value === null || value === undefined) return "<nil>"
  if (typeof value === "string") return "string"
  if (typeof value === "boolean") return "bool"
  if (typeof value === "number") return Number.isInteger(value) ? "int" : "float64"
  if (typeof value === "bigint") return "int64"
  return Array.isArray(value) ? "[]interface {}" : "map[string]interface {}"
}
