// The canonical form as YAML and JSON: fields in the schema's order, names sorted, zero values left out. The JSON of a
// service is what its hash is made of, so it has to be docker compose's to the byte.
import { stringify } from "yaml"
import type { Project, Service } from "./model.ts"
import { project as projectShape } from "./schema/project.ts"
import { service as serviceShape, watch as watchShape } from "./schema/service.ts"
import type { ObjectShape, Shape } from "./shape.ts"

export type Format = "yaml" | "json"

/** undefined: left out. */
export function canonical(value: unknown, shape: Shape, format: Format): unknown {
  switch (shape.kind) {
    case "any":
      return sortedDeep(value)
    case "leaf":
      return shape.keep === true || (value !== false && value !== 0 && value !== "") ? value : undefined
    case "list": {
      const items = value as readonly unknown[]
      if (items.length === 0 && shape.keep !== true) return undefined
      const made = items.map((item) => canonicalItem(item, shape.of, format))
      // extra_hosts come from a mapping, which has no order.
      return shape.from !== undefined && shape.key !== undefined ? (made as string[]).sort() : made
    }
    case "map": {
      const fields = value as Readonly<Record<string, unknown>>
      const names = Object.keys(fields).sort(byCodePoint)
      if (names.length === 0) return undefined
      return Object.fromEntries(names.map((name) => [name, canonicalItem(fields[name], shape.of, format)]))
    }
    case "either":
      if (typeof value !== "object" || value === null) return canonical(value, shape.scalar, format)
      // A pair of limits is written out in YAML even where it is zero.
      return format === "yaml" ? { ...value } : canonicalObject(value as object, shape.object, format)
    case "object":
      return canonicalObject(value as object, shape, format)
  }
}

/** In a list or map, zero values stay. */
function canonicalItem(value: unknown, shape: Shape, format: Format): unknown {
  if (value === null || shape.kind === "leaf") return value
  return canonical(value, shape, format) ?? (shape.kind === "list" ? [] : {})
}

function canonicalObject(value: object, shape: ObjectShape, format: Format): unknown {
  const fields = value as Readonly<Record<string, unknown>>
  const made: Record<string, unknown> = {}
  for (const [name, field] of Object.entries(shape.fields)) {
    const given = fields[name]
    const rendered = given === undefined || given === null ? undefined : canonical(given, field, format)
    const written = format === "json" && shape.capital === true ? capitalized(name) : name
    if (rendered !== undefined) made[written] = rendered
    else if (format === "json") {
      const empty = emptyInJson(name, field, shape)
      if (empty !== undefined) made[name] = empty
    }
  }
  if (format === "yaml")
    for (const name of Object.keys(fields)
      .filter((one) => one.startsWith("x-"))
      .sort(byCodePoint))
      made[name] = sortedDeep(fields[name])
  if (format === "yaml" && shape.prune === true && Object.keys(made).length === 0) return undefined
  return made
}

function capitalized(name: string): string {
  return name.slice(0, 1).toUpperCase() + name.slice(1)
}

/** What Go writes for a field that is not there. */
function emptyInJson(name: string, field: Shape, shape: ObjectShape): unknown {
  if (field.kind === "object" && field.prune === true) return {}
  if (shape === watchShape && name === "exec") return { command: null }
  if (shape === serviceShape && (name === "command" || name === "entrypoint")) return null
  return undefined
}

export function byCodePoint(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

function sortedDeep(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortedDeep)
  if (value === null || typeof value !== "object") return value
  const fields = value as Readonly<Record<string, unknown>>
  return Object.fromEntries(
    Object.keys(fields)
      .sort(byCodePoint)
      .map((name) => [name, sortedDeep(fields[name])]),
  )
}

/** Go escapes what could be read as HTML. */
export function goJson(value: unknown, indent?: number): string {
  return JSON.stringify(value, undefined, indent).replace(
    /[<>&\u2028\u2029]/g,
    (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, "0")}`,
  )
}

export function serviceJson(service: Service): string {
  return goJson(canonicalObject(service, serviceShape, "json"))
}

const SECTIONS = ["services", "networks", "volumes", "secrets", "configs", "models"] as const

function contents(project: Project, format: Format): Record<string, unknown> {
  const made: Record<string, unknown> = { name: project.name }
  for (const section of SECTIONS) {
    const values = Object.fromEntries(
      Object.entries(project[section]).map(([name, value]) => [name, hidden(section, value)]),
    )
    const rendered = canonical(values, projectShape.fields[section]!, format)
    if (rendered !== undefined) made[section] = rendered
    else if (section === "services") made[section] = {}
  }
  const extensions = Object.keys(project.extensions).sort(byCodePoint)
  for (const name of extensions) made[name] = sortedDeep(project.extensions[name])
  return made
}

/** What comes from a variable is not written out. */
function hidden(section: string, value: unknown): unknown {
  if ((section !== "configs" && section !== "secrets") || value === null || typeof value !== "object") return value
  if (!("environment" in value)) return value
  const { content: _, ...rest } = value as { readonly content?: string }
  return rest
}

export function renderProject(
  project: Project,
  format: Format,
  { escaped = true }: { readonly escaped?: boolean } = {},
): string {
  const made = contents(project, format)
  const text =
    format === "yaml"
      ? toYaml(made)
      : goJson(Object.fromEntries(Object.entries(made).sort(([a], [b]) => byCodePoint(a, b))), 2)
  // Read again, it has to mean the same.
  return escaped ? text.replaceAll("$", "$$$$") : text
}

export function toYaml(value: unknown): string {
  return stringify(value, {
    schema: "yaml-1.1",
    indentSeq: true,
    lineWidth: 0,
    aliasDuplicateObjects: false,
    nullStr: "null",
  })
}
