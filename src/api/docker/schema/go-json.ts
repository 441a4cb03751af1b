// JSON bodies read with the rules of Docker's own decoder: null is the same as absent, names match whatever their case,
// unknown fields are ignored, and a wrong type is refused with the field's name.
import * as v from "valibot"
import { DhowError } from "../../../lib/errors.ts"

type JsonObject = Record<string, unknown>

function isObject(value: unknown): value is JsonObject {
  return value !== null && typeof value === "object" && !Array.isArray(value)
}

/** An object of known fields, all optional: give entries wrapped in `field`. */
export function fields<const Entries extends v.ObjectEntries>(entries: Entries) {
  const canonical = new Map(Object.keys(entries).map((name) => [name.toLowerCase(), name]))
  return v.pipe(
    v.custom<JsonObject>(isObject, "object"),
    v.transform((input) => {
      const known: JsonObject = {}
      for (const name in input) {
        const value = input[name]
        if (value === null) continue
        if (name in entries) known[name] = value
        else {
          const right = canonical.get(name.toLowerCase())
          if (right !== undefined && !(right in input)) known[right] = value
        }
      }
      return known
    }),
    v.object(entries),
  )
}

export const field = v.exactOptional

export const text = v.string("string")
export const flag = v.boolean("bool")
export const int = v.pipe(v.number("int64"), v.integer("int64"))
export const texts = v.array(text, "[]string")
export const textMap = v.record(v.string(), nullAs(text, ""), "map[string]string")
/** Go's map[string]struct{}: only the keys say something. */
export const keySet = v.pipe(
  v.record(v.string(), v.unknown(), "map[string]struct {}"),
  v.transform((map): Record<string, Record<string, never>> => {
    return Object.fromEntries(Object.keys(map).map((key) => [key, {}]))
  }),
)
/** A list of words, or one word alone. */
export const words = v.pipe(
  v.union([v.string(), v.array(v.string())], "[]string"),
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
export function oneOf<const Words extends readonly string[]>(allowed: Words, refusal: (word: string) => string) {
  return v.pipe(
    text,
    v.picklist(allowed, (issue) => refusal(String(issue.input))),
  )
}

/** Parses text that ought to be one JSON value. */
export function parseJson(body: string): unknown {
  if (body.trim() === "") throw new DhowError("invalid", "invalid JSON: got EOF while reading request body")
  try {
    return JSON.parse(body)
  } catch (error) {
    const detail = (error as Error).message.replace(/^JSON Parse error: /, "")
    throw new DhowError("invalid", `invalid JSON: ${detail}`)
  }
}

/** Checks a parsed value; null is an empty object, as a Go structure would take it. */
export function checkJson<const Schema extends v.GenericSchema>(schema: Schema, value: unknown): v.InferOutput<Schema> {
  const result = v.safeParse(schema, value ?? {}, { abortEarly: true })
  if (result.success) return result.output
  throw new DhowError("invalid", refusalOf(result.issues[0]))
}

function refusalOf(issue: v.BaseIssue<unknown>): string {
  if (issue.type === "picklist" || issue.type === "raw_check") return issue.message
  const where = v.getDotPath(issue)
  const field = where === null ? "value" : `struct field ${where}`
  return `invalid JSON: json: cannot unmarshal ${jsonType(issue.input)} into Go ${field} of type ${issue.message}`
}

function jsonType(value: unknown): string {
  if (Array.isArray(value)) return "array"
  if (typeof value === "boolean") return "bool"
  if (typeof value === "number" && !Number.isInteger(value)) return `number ${value}`
  return value === null ? "null" : typeof value
}
