// A value of a compose file that remembers where it was written. Nodes never change: steps make new ones, and parts may
// be shared.

export type Place = { readonly file: string; readonly line: number; readonly column: number }

/** `!reset` takes away what an earlier file says, `!override` replaces it instead of merging. */
export type Tag = "reset" | "override"

type Common = { readonly place: Place; readonly tag?: Tag }

export type ScalarValue = string | number | boolean | null
export type Scalar = Common & { readonly kind: "scalar"; readonly value: ScalarValue }
export type Sequence = Common & { readonly kind: "sequence"; readonly items: readonly Node[] }
export type Entry = { readonly place: Place; readonly node: Node }
export type Mapping = Common & { readonly kind: "mapping"; readonly entries: ReadonlyMap<string, Entry> }
export type Node = Scalar | Sequence | Mapping

export type Plain = ScalarValue | readonly Plain[] | { readonly [name: string]: Plain }

export function scalar(value: ScalarValue, place: Place): Scalar {
  return { kind: "scalar", value, place }
}

export function sequence(items: readonly Node[], place: Place): Sequence {
  return { kind: "sequence", items, place }
}

export function mapping(fields: Readonly<Record<string, Node>>, place: Place): Mapping {
  const entries = new Map<string, Entry>()
  for (const [name, node] of Object.entries(fields)) entries.set(name, { place: node.place, node })
  return { kind: "mapping", entries, place }
}

export function child(node: Node | undefined, ...names: readonly string[]): Node | undefined {
  let at = node
  for (const name of names) at = at?.kind === "mapping" ? at.entries.get(name)?.node : undefined
  return at
}

export function textOf(node: Node | undefined): string | undefined {
  return node?.kind === "scalar" && typeof node.value === "string" ? node.value : undefined
}

/** Values without their places. Names come from a file, so the objects have no prototype to disturb. */
export function toPlain(node: Node): Plain {
  if (node.kind === "scalar") return node.value
  if (node.kind === "sequence") return node.items.map(toPlain)
  const plain: Record<string, Plain> = Object.create(null)
  for (const [name, entry] of node.entries) plain[name] = toPlain(entry.node)
  return plain
}

/** The same node with what `change` makes of its scalars, below all of it. */
export function mapScalars(
  node: Node,
  change: (scalar: Scalar, path: readonly string[]) => Scalar,
  path: readonly string[] = [],
): Node {
  if (node.kind === "scalar") return change(node, path)
  if (node.kind === "sequence")
    return { ...node, items: node.items.map((item, index) => mapScalars(item, change, [...path, `[${index}]`])) }
  const entries = new Map<string, Entry>()
  for (const [name, entry] of node.entries)
    entries.set(name, { place: entry.place, node: mapScalars(entry.node, change, [...path, name]) })
  return { ...node, entries }
}

/** "services.web.ports[0]" */
export function pathText(path: readonly string[]): string {
  return path.join(".").replaceAll(".[", "[")
}
