// JSON bodies read with the rules of Docker's own decoder: null is the same as absent, names match whatever their case,
// unknown fields are ignored, and a wrong type is refused with the field's name.
import * as v from "valibot"
import { DhowError } from "../../../lib/errors.ts"
import { goPath, noteMap, noteStructure } from "./go-path.ts"
import { scanJson } from "./go-syntax.ts"

type JsonObject = Record<string, unknown>

function isObject(value: unknown): value is JsonObject {
  return value !== null && typeof value === "object" && !Array.isArray(value)
}

/**
 * An object of known fields, all optional: give entries wrapped in `field`. `type` is what Docker calls the structure, and
 * `embedded` says which fields it has from another one.
 */
export function fields<const Entries extends v.ObjectEntries>(
  entries: Entries,
  type = "object",
  embedded: Readonly<Record<string, v.ObjectEntries>> = {},
) {
  const canonical = new Map(Object.keys(entries).map((name) => [name.toLowerCase(), name]))
  const schema = v.pipe(
    v.custom<JsonObject>(isObject, type),
    v.transform((input) => {
      const known: JsonObject = {}
      for (const name in input) {
        const value = input[name]
        if (value === null) continue
        if (Object.hasOwn(entries, name)) known[name] = value
        else {
          const right = canonical.get(name.toLowerCase())
          if (right !== undefined && !Object.hasOwn(input, right)) known[right] = value
        }
      }
      return known
    }),
    v.object(entries),
  )
  const owners = Object.entries(embedded).flatMap(([owner, part]) =>
    Object.keys(part).map((name) => [name, owner] as const),
  )
  noteStructure(schema, { type, entries, embedded: new Map(owners) })
  return schema
}

export const field = v.exactOptional

export const text = v.string("string")
export const flag = v.boolean("bool")
/** A whole number that the named type of Go holds. */
function whole(type: string, [least, most]: readonly [number, number]) {
  return v.custom<number>((value) => Number.isInteger(value) && Number(value) >= least && Number(value) <= most, type)
}

export const int = whole("int64", [-(2 ** 63), 2 ** 63])
export const uint16 = whole("uint16", [0, 2 ** 16 - 1])
export const fileMode = whole("fs.FileMode", [0, 2 ** 32 - 1])
export const uint = whole("uint", [0, 2 ** 64])
export const uint64 = whole("uint64", [0, 2 ** 64])
export const duration = whole("time.Duration", [-(2 ** 63), 2 ** 63])
export const textOf = (type: string) => v.string(type)
export const texts = v.array(nullAs(text, ""), "[]string")
export const textMap = map(nullAs(text, ""), "map[string]string")
/** Go's map[string]struct{}: only the keys say something. */
export function keySetOf(type: string) {
  return v.pipe(
    map(v.unknown(), type),
    v.transform((entries): Record<string, Record<string, never>> => {
      return Object.fromEntries(Object.keys(entries).map((key) => [key, {}]))
    }),
  )
}
export const keySet = keySetOf("map[string]struct {}")

/** Names and values. Any name will do: valibot's own record drops those that objects inherit, such as "constructor". */
export function map<const Schema extends v.GenericSchema>(value: Schema, type: string) {
  type Values = Record<string, v.InferOutput<Schema>>
  const schema = v.pipe(
    v.custom<Record<string, unknown>>(isObject, type),
    v.rawTransform<Record<string, unknown>, Values>(({ dataset, addIssue, NEVER }) => {
      const values: [string, v.InferOutput<Schema>][] = []
      for (const [key, input] of Object.entries(dataset.value)) {
        const checked = v.safeParse(value, input, { abortEarly: true })
        if (checked.success) {
          values.push([key, checked.output])
          continue
        }
        const [issue] = checked.issues
        const at = { type: "unknown", origin: "value", input: dataset.value, key, value: input } as const
        addIssue({ input: issue.input, message: issue.message, path: [at, ...(issue.path ?? [])] as [typeof at] })
        return NEVER
      }
      return Object.fromEntries(values)
    }),
  )
  noteMap(schema, value)
  return schema
}

/** A list of words, or one word alone. */
export const words = v.pipe(
  v.union([v.string(), texts], "string"),
  v.transform((value): string[] => (typeof value === "string" ? [value] : value)),
)

/** An element that may be null, which then means `empty`. */
export function nullAs<const Schema extends v.GenericSchema>(schema: Schema, empty: v.InferOutput<Schema>) {
  return v.pipe(
    v.nullable(schema),
    v.transform((value): v.InferOutput<Schema> => value ?? empty),
  )
}

/** One of Docker's words; anything else is refused with Docker's sentence. */
export function oneOf<const Words extends readonly string[]>(
  allowed: Words,
  refusal: (word: string) => string,
  type = "string",
) {
  return v.pipe(
    textOf(type),
    v.picklist(allowed, (issue) => refusal(String(issue.input))),
  )
}

/** Parses text that ought to be one JSON value. */
export function parseJson(body: string): unknown {
  try {
    return JSON.parse(body)
  } catch {
    const scan = scanJson(body)
    if ("end" in scan) throw new DhowError("invalid", "unexpected content after JSON")
    const fault = /^\s*$/.test(body) ? "got EOF while reading request body" : scan.fault
    throw new DhowError("invalid", `invalid JSON: ${fault}`)
  }
}

/** Checks a parsed value; null is an empty object, as a Go structure would take it. */
export function checkJson<const Schema extends v.GenericSchema>(schema: Schema, value: unknown): v.InferOutput<Schema> {
  const result = v.safeParse(schema, value ?? {}, { abortEarly: true })
  if (result.success) return result.output
  throw new DhowError("invalid", refusalOf(schema, result.issues[0]))
}

function refusalOf(schema: v.GenericSchema, issue: v.BaseIssue<unknown>): string {
  if (issue.type === "picklist" || issue.type === "raw_check") return issue.message
  const field = goPath(schema, issue.path?.map(({ key }) => key) ?? [])
  return `invalid JSON: json: cannot unmarshal ${jsonType(issue.input, /int|Duration|FileMode/.test(issue.message))} into Go ${field} of type ${issue.message}`
}

function jsonType(value: unknown, isNumber: boolean): string {
  if (Array.isArray(value)) return "array"
  if (typeof value === "boolean") return "bool"
  if (typeof value === "number") return isNumber ? `number ${value}` : "number"
  return value === null ? "null" : typeof value
}
