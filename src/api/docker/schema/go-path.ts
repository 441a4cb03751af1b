// Where in a request something is of a wrong type, as Docker's decoder names it: the structure that has the field, and the
// names on the way to it, embedded structures among them; places in lists and keys of maps are left out.
import type * as v from "valibot"

type Structure = {
  /** With its package: "container.HostConfig". */
  readonly type: string
  readonly entries: v.ObjectEntries
  /** Structures that are part of this one without a name in JSON, by their fields. */
  readonly embedded: ReadonlyMap<string, string>
}

const structures = new WeakMap<object, Structure>()
const maps = new WeakMap<object, v.GenericSchema>()

export function noteStructure(schema: object, structure: Structure): void {
  structures.set(schema, structure)
}

export function noteMap(schema: object, values: v.GenericSchema): void {
  maps.set(schema, values)
}

/** "value" at the top, or "struct field HostConfig.HostConfig.Resources.Memory". */
export function goPath(schema: v.GenericSchema, keys: readonly unknown[]): string {
  const names: string[] = []
  let owner: string | undefined
  let at: unknown = schema
  for (const key of keys) {
    const structure = find(at, (candidate) => structures.get(candidate))
    if (structure !== undefined && typeof key === "string") {
      const embedded = structure.embedded.get(key)
      if (embedded !== undefined) names.push(embedded)
      names.push(key)
      owner = structure.type.split(".").at(-1)
      at = structure.entries[key]
    } else at = find(at, (candidate) => maps.get(candidate) ?? (candidate as { item?: object }).item)
  }
  return owner === undefined ? "value" : `struct field ${owner}.${names.join(".")}`
}

/** What is known of a schema, looked for in the schemas it is wrapped in and piped through. */
function find<T>(schema: unknown, known: (candidate: object) => T | undefined): T | undefined {
  if (schema === null || typeof schema !== "object") return undefined
  const here = known(schema)
  if (here !== undefined) return here
  const { wrapped, pipe } = schema as { wrapped?: unknown; pipe?: readonly unknown[] }
  for (const inner of [wrapped, ...(pipe ?? [])]) {
    if (inner === schema) continue
    const found = find(inner, known)
    if (found !== undefined) return found
  }
  return undefined
}
