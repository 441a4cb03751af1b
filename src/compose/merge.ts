// Merges what a later file says into what an earlier one said, by the schema: single values are replaced, mappings
// merged name by name, lists appended with one item for each key; !reset takes away, !override replaces.
import { type Entry, type Mapping, type Node, type Sequence, sequence, textOf } from "./node.ts"
import type { ListShape, Shape } from "./shape.ts"

/** undefined: taken away. */
export function merge(base: Node, over: Node, shape: Shape): Node | undefined {
  if (over.tag === "reset") return undefined
  if (over.tag === "override") return over
  if (base.tag === "reset") return over
  if (base.kind === "mapping" && over.kind === "mapping") return mergeMappings(base, over, shape)
  if (base.kind === "sequence" && over.kind === "sequence" && shape.kind === "list")
    return mergeLists(base, over, shape)
  // Within a map of names, having no value is a value; elsewhere it says nothing.
  return over
}

function mergeMappings(base: Mapping, over: Mapping, shape: Shape): Mapping {
  if (shape.kind === "object" && shape.unless !== undefined) {
    const [before, after] = [base, over].map((one) => textOf(one.entries.get(shape.unless!)?.node))
    if (before !== undefined && after !== undefined && before !== after) return over
  }
  const entries = new Map<string, Entry>(base.entries)
  for (const [name, entry] of over.entries) {
    const old = entries.get(name)
    const merged = old === undefined ? entry.node : mergeField(old.node, entry.node, fieldShape(shape, name))
    if (merged === undefined) entries.delete(name)
    else entries.set(name, { place: entry.place, node: merged })
  }
  return { kind: "mapping", entries, place: over.place }
}

function mergeField(old: Node, entry: Node, shape: Shape): Node | undefined {
  const isNothing = entry.kind === "scalar" && entry.value === null && entry.tag === undefined
  // "networks: {default: }" in a later file does not take the aliases of an earlier one.
  if (isNothing && old.kind === "mapping") return old
  return merge(old, entry, shape)
}

function fieldShape(shape: Shape, name: string): Shape {
  if (shape.kind === "object" && Object.hasOwn(shape.fields, name)) return shape.fields[name]!
  if (shape.kind === "map") return shape.of
  if (shape.kind === "either") return fieldShape(shape.object, name)
  return { kind: "any" }
}

function mergeLists(base: Sequence, over: Sequence, shape: ListShape): Sequence {
  if (shape.replace !== true) return unique([...base.items, ...over.items], over, shape)
  if (shape.key === undefined) return over
  // Only what the later list names stays, on top of what the earlier one says of it.
  const items = over.items.map((item) => {
    const old = base.items.find((one) => shape.key!(one) === shape.key!(item))
    return old === undefined ? item : (merge(old, item, shape.of) ?? item)
  })
  return sequence(items, over.place)
}

function unique(items: readonly Node[], { place }: Sequence, { key }: ListShape): Sequence {
  if (key === undefined) return sequence(items, place)
  const found = new Map<string, Node>()
  for (const item of items) found.set(key(item), item)
  return sequence([...found.values()], place)
}

/** Without tags, with one item for each key and with defaults; `missing` is told of fields that have to be there. */
export function complete(
  node: Node,
  shape: Shape,
  missing: (node: Node, field: string, path: readonly string[]) => void,
  path: readonly string[] = [],
): Node | undefined {
  if (node.tag === "reset") return undefined
  if (node.kind === "sequence") {
    const inner: Shape = shape.kind === "list" ? shape.of : { kind: "any" }
    const items = node.items.flatMap((item, index) => complete(item, inner, missing, [...path, `[${index}]`]) ?? [])
    return shape.kind === "list" ? unique(items, node, shape) : sequence(items, node.place)
  }
  if (node.kind === "scalar") return { kind: "scalar", value: node.value, place: node.place }
  const entries = new Map<string, Entry>()
  for (const [name, entry] of node.entries) {
    const made = complete(entry.node, fieldShape(shape, name), missing, [...path, name])
    if (made !== undefined) entries.set(name, { place: entry.place, node: made })
  }
  const own = shape.kind === "either" ? shape.object : shape
  if (own.kind === "object") {
    for (const field of own.required ?? []) if (!entries.has(field)) missing(node, field, path)
    if (own.defaults !== undefined) {
      const fields = new Map([...entries].map(([name, entry]) => [name, entry.node]))
      own.defaults(fields, node)
      for (const [name, value] of fields)
        if (entries.get(name)?.node !== value) entries.set(name, { place: value.place, node: value })
    }
  }
  return { kind: "mapping", entries, place: node.place }
}
