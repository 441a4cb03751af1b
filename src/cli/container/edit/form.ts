// The form that `edit` opens: YAML with a setting a line, grouped by when a change takes effect. Whatever a container has
// is read back as it was: names and values are quoted as JSON does wherever YAML could mean something else.
import { DhowError } from "../../../lib/errors.ts"
import type { ContainerInspect } from "../../../wire/container.ts"
import type { ContainerUpdateRequest } from "../../../wire/update.ts"
import type { Field, Value } from "./field.ts"
import { FIELDS } from "./fields.ts"

export type Form = Readonly<Record<string, Value>>

const SECTIONS = [
  ["live", "Takes effect at once"],
  ["restart", "Takes effect when the container is restarted"],
  ["recreate", "Makes the container anew: its files, name, address and volumes stay"],
] as const

/** Not quoted: no numbers, no words with a meaning of their own, and nothing with a letter that YAML reads as more than itself. */
const PLAIN =
  /^(?!(?:true|false|yes|no|on|off|null|y|n|~)$)(?:\d+(?:ms|[gmkhs])$|[A-Za-z/])(?:[A-Za-z0-9_./@%+=-]|:(?=[^ ]))*$/i

export function readForm(container: ContainerInspect): Form {
  return Object.fromEntries(Object.entries(FIELDS).map(([name, field]) => [name, field.read(container)]))
}

export function renderForm(form: Form, title: readonly string[]): string {
  const lines = title.map((line) => `# ${line}`.trimEnd())
  for (const [section, words] of SECTIONS) {
    lines.push("", `# ${words}`)
    for (const [name, field] of Object.entries(FIELDS))
      if (field.section === section) lines.push(...renderField(name, field, form[name]!))
  }
  return `${lines.join("\n")}\n`
}

function renderField(name: string, { note }: Field, value: Value): string[] {
  const end = note === undefined ? "" : `  # ${note}`
  if (Array.isArray(value)) {
    if (value.length === 0) return [`${name}: []${end}`]
    return [`${name}:${end}`, ...(value as string[]).map((item) => `  - ${scalar(item)}`)]
  }
  if (typeof value === "object") {
    const entries = Object.entries(value)
    if (entries.length === 0) return [`${name}: {}${end}`]
    return [`${name}:${end}`, ...entries.map(([key, text]) => `  ${scalar(key)}: ${scalar(text)}`)]
  }
  return [`${name}: ${typeof value === "string" ? scalar(value) : String(value)}${end}`]
}

function scalar(text: string): string {
  return PLAIN.test(text) ? text : JSON.stringify(text)
}

/** Undefined for a form without a setting in it. */
export function parseForm(text: string): Form | undefined {
  if (text.split("\n").every((line) => /^\s*(?:#.*)?$/.test(line))) return undefined
  let parsed: unknown
  try {
    parsed = Bun.YAML.parse(text)
  } catch (cause) {
    throw invalid(`It is not YAML: ${cause instanceof Error ? cause.message : String(cause)}`)
  }
  if (parsed === null || typeof parsed !== "object" || Array.isArray(parsed)) throw invalid("It is no list of settings")
  const names = text.split("\n").flatMap((line) => /^([A-Za-z][\w-]*):/.exec(line)?.[1] ?? [])
  const twice = names.find((name, at) => names.indexOf(name) !== at)
  if (twice !== undefined) throw invalid(`"${twice}" is set twice`)
  const unknown = Object.keys(parsed).find((name) => !Object.hasOwn(FIELDS, name))
  if (unknown !== undefined) throw invalid(`There is no setting "${unknown}"`)
  const given = parsed as Record<string, unknown>
  return Object.fromEntries(Object.entries(FIELDS).map(([name, field]) => [name, parseValue(name, field, given[name])]))
}

/** A setting that is left out is one that is empty. */
function parseValue(name: string, { kind }: Field, value: unknown): Value {
  const isScalar = typeof value === "string" || typeof value === "number" || typeof value === "boolean"
  const empty = value === undefined || value === null
  switch (kind) {
    case "text":
      if (empty) return ""
      if (isScalar) return String(value)
      break
    case "number":
      if (empty || value === "") return 0
      if (typeof value === "number" && Number.isSafeInteger(value)) return value
      break
    case "flag":
      if (empty) return false
      if (typeof value === "boolean") return value
      break
    case "list":
      if (empty) return []
      if (Array.isArray(value) && value.every(isPrintable)) return value.map(String)
      break
    case "map":
      if (empty) return {}
      if (typeof value === "object" && !Array.isArray(value) && Object.values(value).every(isPrintable))
        return Object.fromEntries(Object.entries(value).map(([key, text]) => [key, String(text ?? "")]))
      break
    default:
      return kind satisfies never
  }
  const wanted = {
    text: "a text",
    number: "a whole number",
    flag: "true or false",
    list: "a list",
    map: "names and values",
  }
  throw invalid(`"${name}" has to be ${wanted[kind]}`)
}

function isPrintable(value: unknown): boolean {
  return value === null || typeof value === "string" || typeof value === "number" || typeof value === "boolean"
}

/** What an update has to change. Empty where the forms say the same. */
export function changesOf(was: Form, now: Form): ContainerUpdateRequest {
  const request: ContainerUpdateRequest = {}
  for (const [name, field] of Object.entries(FIELDS)) {
    if (isSame(was[name], now[name])) continue
    try {
      field.write(request, now[name]!, was[name]!)
    } catch (cause) {
      throw invalid(`"${name}": ${cause instanceof Error ? cause.message : String(cause)}`)
    }
  }
  // The log's driver and its options are one setting of the API's.
  if (request.LogConfig !== undefined)
    request.LogConfig = {
      Type: String(now["log-driver"]),
      Config: { ...(now["log-opt"] as Record<string, string>) },
    }
  if (request.Reset?.includes("Memory") && request.MemorySwap === undefined && !request.Reset.includes("MemorySwap"))
    request.Reset.push("MemorySwap")
  return request
}

function isSame(a: Value | undefined, b: Value | undefined): boolean {
  const ordered = (value: Value | undefined): unknown =>
    typeof value === "object" && !Array.isArray(value)
      ? Object.entries(value).sort(([x], [y]) => (x < y ? -1 : 1))
      : value
  return JSON.stringify(ordered(a)) === JSON.stringify(ordered(b))
}

function invalid(message: string): DhowError {
  return new DhowError("invalid", `The form cannot be used: ${message}`)
}
