// The functions of templates: Go's own and docker's additions.

import { DhowError } from "../errors.ts"
import { toJson } from "../exact-json.ts"
import type { Value, ValueMap } from "./nodes.ts"
import { formatValue, goType, sprintf } from "./print.ts"

export type TemplateFunction = (...args: Value[]) => Value

function wrong(name: string, message: string): DhowError {
  return new DhowError("invalid", `error calling ${name}: ${message}`)
}

export function isTrue(value: Value): boolean {
  if (value === null || value === undefined || value === false || value === "") return false
  if (typeof value === "number" || typeof value === "bigint") return Number(value) !== 0
  if (typeof value === "object") return Object.keys(value).length > 0
  return true
}

function compare(name: string, a: Value, b: Value): number {
  const numeric = (value: Value): boolean => typeof value === "number" || typeof value === "bigint"
  if (numeric(a) && numeric(b)) return (a as number) < (b as number) ? -1 : (a as number) > (b as number) ? 1 : 0
  if (typeof a === "string" && typeof b === "string") return a < b ? -1 : a > b ? 1 : 0
  throw wrong(name, "incompatible types for comparison")
}

function equal(a: Value, b: Value): boolean {
  if ((a ?? null) === null || (b ?? null) === null) return (a ?? null) === (b ?? null)
  if (typeof a === "boolean" && typeof b === "boolean") return a === b
  return compare("eq", a, b) === 0
}

function lengthOf(value: Value): number {
  if (value === null || value === undefined) return 0
  if (typeof value === "string") return Buffer.byteLength(value)
  if (typeof value === "object") return Object.keys(value).length
  throw wrong("len", `len of type ${goType(value)}`)
}

function indexOf(value: Value, keys: readonly Value[]): Value {
  let at: Value = value
  for (const key of keys) {
    if (at === null || at === undefined) throw wrong("index", "index of nil pointer")
    if (typeof at === "string" || Array.isArray(at)) {
      const position = Number(key)
      if (!Number.isInteger(position)) throw wrong("index", `cannot index slice/array with type ${goType(key)}`)
      if (position < 0 || position >= at.length) throw wrong("index", `error index: index out of range: ${position}`)
      at = typeof at === "string" ? at.charCodeAt(position) : (at[position] as Value)
    } else if (typeof at === "object") {
      if (typeof key !== "string") throw wrong("index", `value has type ${goType(key)}; should be string`)
      // Of an absent key Go gives the zero value of the map's elements; the empty string stands for it.
      at = Object.hasOwn(at, key) ? (at as ValueMap)[key] : ""
    } else throw wrong("index", `can't index item of type ${goType(at)}`)
  }
  return at
}

function text(name: string, value: Value): string {
  if (typeof value !== "string") throw wrong(name, `wrong type for value; expected string; got ${goType(value)}`)
  return value
}

function joinList(list: Value, separator: Value): string {
  if (list === null || list === undefined) return ""
  if (!Array.isArray(list)) throw wrong("join", `wrong type for value; expected []string; got ${goType(list)}`)
  return list.map(formatValue).join(String(separator ?? ""))
}

/** Spaces between operands when neither is a string, as fmt.Sprint has it. */
function sprint(args: readonly Value[]): string {
  let out = ""
  for (const [index, value] of args.entries()) {
    if (index > 0 && typeof value !== "string" && typeof args[index - 1] !== "string") out += " "
    out += formatValue(value)
  }
  return out
}

const HTML: Readonly<Record<string, string>> = { "<": "&lt;", ">": "&gt;", "&": "&amp;", "'": "&#39;", '"': "&#34;" }

export const FUNCTIONS: Readonly<Record<string, TemplateFunction>> = {
  // "and" and "or" stop at the first that decides: see evaluate.ts.
  not: (value) => !isTrue(value),
  len: lengthOf,
  index: (value, ...keys) => indexOf(value, keys),
  slice: (value, from, to) => {
    const bounds = [from, to].map((bound) => (bound === undefined ? undefined : Number(bound)))
    if (typeof value === "string") return value.slice(...bounds)
    if (Array.isArray(value)) return value.slice(...bounds)
    throw wrong("slice", `can't slice item of type ${goType(value)}`)
  },
  print: (...args) => sprint(args),
  println: (...args) => `${args.map(formatValue).join(" ")}\n`,
  printf: (format, ...args) => sprintf(text("printf", format), args),
  eq: (first, ...rest) => rest.some((one) => equal(first, one)),
  ne: (a, b) => !equal(a, b),
  lt: (a, b) => compare("lt", a, b) < 0,
  le: (a, b) => compare("le", a, b) <= 0,
  gt: (a, b) => compare("gt", a, b) > 0,
  ge: (a, b) => compare("ge", a, b) >= 0,
  html: (value) => formatValue(value).replace(/[<>&'"]/g, (character) => HTML[character]!),
  urlquery: (value) => encodeURIComponent(formatValue(value)).replaceAll("%20", "+"),
  js: (value) => JSON.stringify(formatValue(value)).slice(1, -1),
  json: toJson,
  split: (value, separator) => text("split", value).split(text("split", separator)),
  join: joinList,
  lower: (value) => text("lower", value).toLowerCase(),
  upper: (value) => text("upper", value).toUpperCase(),
  title: (value) =>
    text("title", value).replace(
      /(^|[^\p{L}\p{N}_'])(\p{L})/gu,
      (_, before: string, letter: string) => before + letter.toUpperCase(),
    ),
  pad: (value, before, after) =>
    value === "" ? "" : `${" ".repeat(Number(before))}${text("pad", value)}${" ".repeat(Number(after))}`,
  truncate: (value, length) => [...text("truncate", value)].slice(0, Number(length)).join(""),
}
