// Brings a file into its long form by the schema, and says everything that does not fit it. What is not there stays
// absent: defaults come once all files are merged.
import { nearest } from "../lib/suggest.ts"
import { type Entry, type Mapping, type Node, pathText, scalar, sequence } from "./node.ts"
import type { Problems } from "./problem.ts"
import type { LeafShape, ListShape, MapShape, ObjectShape, Setting, Shape } from "./shape.ts"

type Path = readonly string[]

export class Checker {
  readonly #problems: Problems
  readonly #setting: Setting

  constructor(problems: Problems, setting: Setting) {
    this.#problems = problems
    this.#setting = setting
  }

  /** undefined: there is nothing, or nothing usable. */
  check(node: Node, shape: Shape, path: Path = []): Node | undefined {
    if (node.tag === "reset") return node
    const made = this.#long(node, shape, path)
    return made === undefined || node.tag === undefined ? made : { ...made, tag: node.tag }
  }

  #long(node: Node, shape: Shape, path: Path): Node | undefined {
    switch (shape.kind) {
      case "any":
        return node
      case "leaf":
        return this.#leaf(node, shape, path)
      case "list":
        return this.#list(node, shape, path)
      case "map":
        return this.#map(node, shape, path)
      case "object":
        return this.#object(node, shape, path)
      case "either":
        return node.kind === "mapping" ? this.#object(node, shape.object, path) : this.#leaf(node, shape.scalar, path)
    }
  }

  #leaf(node: Node, shape: LeafShape, path: Path): Node | undefined {
    if (node.kind !== "scalar") return this.#wrong(node, path, shape.what)
    if (node.value === null) return undefined
    try {
      return scalar(shape.convert(node.value, this.#setting), node.place)
    } catch (error) {
      return this.#problem(node, path, error)
    }
  }

  #list(node: Node, shape: ListShape, path: Path): Node | undefined {
    let whole = node
    try {
      if (shape.from !== undefined) whole = shape.from(node)
    } catch (error) {
      return this.#problem(node, path, error)
    }
    if (whole.kind === "scalar" && whole.value === null) return undefined
    if (whole.kind !== "sequence") {
      if (shape.single !== true) return this.#wrong(node, path, "a list")
      whole = sequence([whole], node.place)
    }
    const items: Node[] = []
    for (const [index, item] of whole.items.entries()) {
      const at = [...path, `[${index}]`]
      try {
        for (const one of shape.long?.(item) ?? [item]) {
          const made = this.check(one, shape.of, at)
          if (made !== undefined) items.push(made)
          else if (item.kind === "scalar" && item.value === null) this.#wrong(item, at, "a value")
        }
      } catch (error) {
        this.#problem(item, at, error)
      }
    }
    return sequence(items, node.place)
  }

  #map(node: Node, shape: MapShape, path: Path): Node | undefined {
    if (node.kind === "scalar" && node.value === null) return undefined
    const source = node.kind === "sequence" ? this.#fromList(node.items, shape, path) : node
    if (source === undefined) return undefined
    if (source.kind !== "mapping")
      return this.#wrong(node, path, shape.pairs === true ? "a mapping or a list of name=value" : "a mapping")
    const entries = new Map<string, Entry>()
    for (const [name, entry] of source.entries) {
      const at = [...path, name]
      if (shape.names !== undefined && !shape.names.test(name)) {
        this.#problems.add(
          entry.place,
          `"${name}" is no valid name in ${pathText(path)}`,
          "Names hold letters, digits, dots, dashes and underscores",
        )
        continue
      }
      const made = this.#entry(entry, shape, at)
      if (made !== undefined) entries.set(name, { place: entry.place, node: made })
    }
    return { kind: "mapping", entries, place: node.place }
  }

  #entry({ node, place }: Entry, shape: MapShape, path: Path): Node | undefined {
    if (node.kind !== "scalar" || node.value !== null || node.tag === "reset") return this.check(node, shape.of, path)
    if (shape.nullable === true) return node
    if (shape.fill === true)
      return shape.of.kind === "leaf" ? scalar("", place) : { kind: "mapping", entries: new Map(), place }
    return this.#wrong({ ...node, place }, path, shape.of.kind === "leaf" ? shape.of.what : "a mapping")
  }

  #fromList(items: readonly Node[], shape: MapShape, path: Path): Mapping | undefined {
    const entries = new Map<string, Entry>()
    for (const [index, item] of items.entries()) {
      const at = [...path, `[${index}]`]
      if (item.kind !== "scalar" || typeof item.value !== "string") {
        this.#wrong(item, at, "a string")
        continue
      }
      if (shape.named !== undefined) {
        entries.set(item.value, { place: item.place, node: shape.named(item) })
        continue
      }
      if (shape.pairs !== true) return this.#wrong(item, path, "a mapping")
      const equals = item.value.indexOf("=")
      const name = equals < 0 ? item.value : item.value.slice(0, equals)
      const value = equals < 0 ? null : item.value.slice(equals + 1)
      if (name === "__proto__") this.#problems.add(item.place, 'nothing can be called "__proto__"')
      else entries.set(name, { place: item.place, node: scalar(value, item.place) })
    }
    return { kind: "mapping", entries, place: items[0]?.place ?? { file: "", line: 1, column: 1 } }
  }

  #object(node: Node, shape: ObjectShape, path: Path): Node | undefined {
    if (node.kind === "scalar" && node.value === null) return undefined
    let source: Node | undefined
    try {
      source = node.kind === "mapping" ? node : shape.short?.(node)
    } catch (error) {
      return this.#problem(node, path, error)
    }
    if (source?.kind !== "mapping")
      return this.#wrong(node, path, shape.short === undefined ? "a mapping" : "a mapping or a string")
    const entries = new Map<string, Entry>()
    for (const [name, entry] of source.entries) {
      const field = Object.hasOwn(shape.fields, name) ? shape.fields[name] : undefined
      if (field === undefined) {
        if (name.startsWith("x-") && shape.closed !== true) entries.set(name, entry)
        else this.#unknown(name, entry, shape, path)
        continue
      }
      const made = this.check(entry.node, field, [...path, name])
      if (made !== undefined) entries.set(name, { place: entry.place, node: made })
    }
    shape.settle?.(entries, this.#setting)
    return { kind: "mapping", entries, place: node.place }
  }

  #unknown(name: string, { place }: Entry, shape: ObjectShape, path: Path): void {
    const near = nearest(name, Object.keys(shape.fields))
    const where = path.length === 0 ? "" : ` in ${pathText(path)}`
    this.#problems.add(
      place,
      `unknown key "${name}"${where}`,
      near === undefined ? undefined : `Did you mean "${near}"?`,
    )
  }

  #wrong(node: Node, path: Path, what: string): undefined {
    this.#problems.add(node.place, `${pathText(path) || "the file"} has to be ${what}`)
    return undefined
  }

  #problem(node: Node, path: Path, error: unknown): undefined {
    this.#problems.add(node.place, `${pathText(path)}: ${error instanceof Error ? error.message : String(error)}`)
    return undefined
  }
}
