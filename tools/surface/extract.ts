// Takes the facts out of Docker's published API references: routes, query parameters and headers, fields of the bodies that
// create or change something; each with the versions of the API that have it. Writes tools/surface/reference.json.
//   bun tools/surface/extract.ts v1.25.yaml ... v1.55.yaml
import { join } from "node:path"
import type { Reference, ReferenceEntry } from "./reference.ts"

type Json = { readonly [key: string]: unknown }

/** Routes of which the fields of the body are listed one by one; all others belong to swarm mode. */
const DETAILED = /^\/(containers|exec|networks|volumes|auth)\b/
/** What a body may hold inside itself, at the most. */
const DEEPEST = 8

const isObject = (value: unknown): value is Json => value !== null && typeof value === "object" && !Array.isArray(value)
const objectAt = (value: unknown, key: string): Json => {
  const found = isObject(value) ? value[key] : undefined
  return isObject(found) ? found : {}
}
const listAt = (value: unknown, key: string): readonly unknown[] => {
  const found = isObject(value) ? value[key] : undefined
  return Array.isArray(found) ? found : []
}

function resolve(document: Json, value: unknown): Json {
  if (!isObject(value)) return {}
  const ref = value["$ref"]
  if (typeof ref !== "string") return value
  return resolve(
    document,
    ref
      .split("/")
      .slice(1)
      .reduce<unknown>((at, key) => objectAt(at, key), document),
  )
}

/** Paths of all fields of a schema: "HostConfig.Mounts[].Type", "Labels{}" for what a map holds. */
export function fieldsOf(document: Json, schema: unknown, prefix = "", depth = 0): string[] {
  const found = resolve(document, schema)
  if (depth > DEEPEST) return []
  const inner = (value: unknown, path: string): string[] => fieldsOf(document, value, path, depth + 1)
  return [
    ...listAt(found, "allOf").flatMap((part) => inner(part, prefix)),
    ...(isObject(found["items"]) ? inner(found["items"], `${prefix}[]`) : []),
    ...(isObject(found["additionalProperties"]) ? inner(found["additionalProperties"], `${prefix}{}`) : []),
    ...Object.entries(objectAt(found, "properties")).flatMap(([name, value]) => {
      const path = prefix === "" ? name : `${prefix}.${name}`
      return [path, ...inner(value, path)]
    }),
  ]
}

/** Everything one reference has: "GET /info", "GET /events ?since", "POST /auth #X-Header", "POST /auth username". */
export function namesOf(document: Json): string[] {
  return Object.entries(objectAt(document, "paths")).flatMap(([path, methods]) =>
    Object.entries(isObject(methods) ? methods : {})
      .filter(([method]) => /^(get|head|post|put|delete|options)$/.test(method))
      .flatMap(([method, operation]) => {
        const endpoint = `${method.toUpperCase()} ${path}`
        const parameters = [...listAt(methods, "parameters"), ...listAt(operation, "parameters")]
        const details = parameters
          .map((given) => resolve(document, given))
          .flatMap((parameter) => {
            const { in: place, name, schema } = parameter
            if (place === "query") return [`?${name}`]
            if (place === "header" && name !== "Content-type" && name !== "Content-Type") return [`#${name}`]
            if (place === "body" && DETAILED.test(path)) return fieldsOf(document, schema)
            return place === "body" ? ["(body)"] : []
          })
        return [endpoint, ...new Set(details)].map((entry, at) => (at === 0 ? entry : `${endpoint} ${entry}`))
      }),
  )
}

export function referenceOf(documents: readonly Json[]): Reference {
  const versions: string[] = []
  const spans = new Map<string, { since: string; last: string }>()
  for (const document of documents) {
    const version = String(objectAt(document, "info")["version"])
    versions.push(version)
    // The documents write some paths with a trailing parameter of another name: the newest name counts.
    for (const name of namesOf(document)) spans.set(name, { since: spans.get(name)?.since ?? version, last: version })
  }
  const newest = versions.at(-1) ?? ""
  const entries = [...spans].map(
    ([name, { since, last }]): ReferenceEntry => ({
      name,
      ...(since === versions[0] ? {} : { since }),
      ...(last === newest ? {} : { last }),
    }),
  )
  return { versions: [versions[0] ?? "", newest], entries: entries.sort((a, b) => (a.name < b.name ? -1 : 1)) }
}

if (import.meta.main) {
  const documents: Json[] = []
  for (const path of process.argv.slice(2)) documents.push(Bun.YAML.parse(await Bun.file(path).text()) as Json)
  const { versions, entries } = referenceOf(documents)
  // As the formatter would have it, so that a second run changes nothing.
  const spaced = (value: object): string =>
    JSON.stringify(value).replace(/[{:,](?=")|"}/g, (sign) => ({ "{": "{ ", '"}': '" }' })[sign] ?? `${sign} `)
  const lines = entries.map((entry) => `    ${spaced(entry)}`).join(",\n")
  const text = `{\n  "versions": ${spaced(versions)},\n  "entries": [\n${lines}\n  ]\n}\n`
  await Bun.write(join(import.meta.dir, "reference.json"), text)
  console.log(`${entries.length} entries of API ${versions.join(" to ")}`)
}
