// YAML text to nodes. Scalars are read as docker compose's own parser reads them ("0440" is octal, "yes" a string);
// aliases share what they name, merge keys are applied, and a file that would grow without bounds is refused.
import {
  type Alias,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Pair,
  parseAllDocuments,
  type YAMLMap,
  Scalar as YamlScalar,
} from "yaml"
import { DhowError } from "../lib/errors.ts"
import {
  type Entry,
  type Mapping,
  type Node,
  type Place,
  type ScalarValue,
  type Sequence,
  scalar,
  type Tag,
} from "./node.ts"
import { problemAt } from "./problem.ts"

const LARGEST_FILE = 4 * 1024 * 1024
/** Values of a file with its aliases written out. */
const MOST_VALUES = 100_000
const DEEPEST = 100

export function parseYaml(text: string, file: string): Node[] {
  const start: Place = { file, line: 1, column: 1 }
  if (text.length > LARGEST_FILE) throw problemAt(start, "the file is larger than 4 MiB")
  refuseDepth(text, file)
  const counter = new LineCounter()
  const documents = parseAllDocuments(text, {
    schema: "failsafe",
    customTags: [
      keep("!reset"),
      keep("!override"),
      keep("!!str"),
      keep("!!int"),
      keep("!!bool"),
      keep("!!float"),
      keep("!!null"),
    ].flat(),
    keepSourceTokens: false,
    lineCounter: counter,
    logLevel: "silent",
    prettyErrors: false,
    uniqueKeys: false,
  })
  if (!Array.isArray(documents)) return []
  return documents.map((document) => {
    const [error] = document.errors
    if (error !== undefined) {
      const { line, col } = counter.linePos(error.pos[0])
      throw problemAt({ file, line: line || 1, column: col || 1 }, error.message)
    }
    const converter = new Converter(file, counter)
    return document.contents === null ? scalar(null, start) : converter.convert(document.contents, 0)
  })
}

/** Flow collections are read by recursion: counted before, so that a hostile file cannot exhaust the stack. */
function refuseDepth(text: string, file: string): void {
  let depth = 0
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === 0x5b || code === 0x7b) depth++
    else if (code === 0x5d || code === 0x7d) depth = Math.max(0, depth - 1)
    else if (code === 0x0a && depth < DEEPEST) continue
    if (depth > 1000) throw problemAt(placeAt(text, at, file), "the file nests more deeply than 1000 brackets")
  }
  let widest = 0
  for (const match of text.matchAll(/^(?: *[-?:] )+/gm)) widest = Math.max(widest, match[0].length)
  if (widest > 2000) throw problemAt({ file, line: 1, column: 1 }, "the file nests too deeply")
}

function placeAt(text: string, offset: number, file: string): Place {
  const before = text.slice(0, offset)
  return { file, line: before.split("\n").length, column: offset - before.lastIndexOf("\n") }
}

type KeptTag = { readonly tag: string; readonly collection?: "map" | "seq"; resolve(value: unknown): unknown }

function keep(tag: string): KeptTag[] {
  const full = tag.startsWith("!!") ? `tag:yaml.org,2002:${tag.slice(2)}` : tag
  const resolve = (value: unknown): unknown => value
  return [
    { tag: full, resolve },
    ...(tag.startsWith("!!")
      ? []
      : [
          { tag: full, collection: "map" as const, resolve },
          { tag: full, collection: "seq" as const, resolve },
        ]),
  ]
}

class Converter {
  readonly #file: string
  readonly #counter: LineCounter
  readonly #anchors = new Map<string, Node>()
  readonly #open = new Set<string>()
  readonly #sizes = new WeakMap<Node, number>()

  constructor(file: string, counter: LineCounter) {
    this.#file = file
    this.#counter = counter
  }

  convert(node: unknown, depth: number): Node {
    if (depth > DEEPEST) throw problemAt(this.#place(node), `the file nests more deeply than ${DEEPEST} levels`)
    if (isAlias(node)) return this.#alias(node)
    const anchor = isScalar(node) || isMap(node) || isSeq(node) ? node.anchor : undefined
    if (anchor !== undefined) this.#open.add(anchor)
    const made = this.#make(node, depth)
    if (anchor !== undefined) {
      this.#open.delete(anchor)
      this.#anchors.set(anchor, made)
    }
    return made
  }

  #make(node: unknown, depth: number): Node {
    const place = this.#place(node)
    if (isMap(node)) return this.#mapping(node, place, depth)
    if (isSeq(node)) {
      const items = node.items.map((item) => this.convert(item, depth + 1))
      const made: Sequence = { kind: "sequence", items, place, ...tagOf(node.tag) }
      return this.#sized(made, items)
    }
    if (isScalar(node)) return { ...scalar(scalarValue(node), place), ...tagOf(node.tag) }
    return scalar(null, place)
  }

  #alias(node: Alias): Node {
    const place = this.#place(node)
    if (this.#open.has(node.source)) throw problemAt(place, `the anchor "${node.source}" contains itself`)
    const found = this.#anchors.get(node.source)
    if (found === undefined) throw problemAt(place, `no anchor is called "${node.source}"`)
    return found
  }

  #mapping(map: YAMLMap, place: Place, depth: number): Mapping {
    const own = new Map<string, Entry>()
    const merged = new Map<string, Entry>()
    for (const { key, value } of map.items as Pair[]) {
      const at = this.#place(key)
      const name = isScalar(key) ? keyText(key) : undefined
      if (name === undefined) throw problemAt(at, "the key of a mapping has to be a plain value")
      // Objects are made of these names later; this one would change what an object is.
      if (name === "__proto__") throw problemAt(at, 'nothing can be called "__proto__"')
      const node = value === null || value === undefined ? scalar(null, at) : this.convert(value, depth + 1)
      if (name === "<<" && isScalar(key) && key.type === YamlScalar.PLAIN) this.#merge(node, merged)
      else if (own.has(name)) {
        const { line } = own.get(name)!.place
        throw problemAt(at, `the key "${name}" was already given in line ${line}`)
      } else own.set(name, { place: at, node })
    }
    // A mapping's own entries win over those it merges in.
    const entries = new Map([...[...merged].filter(([name]) => !own.has(name)), ...own])
    return this.#sized(
      { kind: "mapping", entries, place, ...tagOf(map.tag) },
      [...entries.values()].map(({ node }) => node),
    )
  }

  /** Of several, the first that has an entry gives it. */
  #merge(node: Node, into: Map<string, Entry>): void {
    const sources = node.kind === "sequence" ? node.items : [node]
    for (const source of sources) {
      if (source.kind !== "mapping") throw problemAt(source.place, "only mappings can be merged with <<")
      for (const [name, entry] of source.entries) if (!into.has(name)) into.set(name, entry)
    }
  }

  #sized<T extends Node>(node: T, below: readonly Node[]): T {
    let size = 1
    for (const one of below) size += this.#sizes.get(one) ?? 1
    if (size > MOST_VALUES)
      throw problemAt(node.place, `the file grows to more than ${MOST_VALUES} values`, "Do its aliases multiply?")
    this.#sizes.set(node, size)
    return node
  }

  #place(node: unknown): Place {
    const range = isScalar(node) || isMap(node) || isSeq(node) || isAlias(node) ? node.range : undefined
    const { line, col } = this.#counter.linePos(range?.[0] ?? 0)
    return { file: this.#file, line: line || 1, column: col || 1 }
  }
}

function tagOf(tag: string | undefined): { readonly tag?: Tag } {
  return tag === "!reset" ? { tag: "reset" } : tag === "!override" ? { tag: "override" } : {}
}

function keyText(key: YamlScalar): string {
  const value = scalarValue(key)
  return value === null && key.source === "" ? "" : String(value === null ? key.source : value)
}

function scalarValue(node: YamlScalar): ScalarValue {
  const text = typeof node.value === "string" ? node.value : String(node.value ?? "")
  if (node.tag === "tag:yaml.org,2002:str") return text
  if (node.type !== undefined && node.type !== YamlScalar.PLAIN) return text
  return plainValue(text)
}

const INTEGER = /^[-+]?(?:0|[1-9][0-9_]*)$/
const FLOAT = /^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$/

/** What an unquoted word means. */
export function plainValue(text: string): ScalarValue {
  switch (text) {
    case "":
    case "~":
    case "null":
    case "Null":
    case "NULL":
      return null
    case "true":
    case "True":
    case "TRUE":
      return true
    case "false":
    case "False":
    case "FALSE":
      return false
  }
  const based = /^([-+]?)(?:0x([0-9a-fA-F_]+)|0b([01_]+)|0o?([0-7_]+))$/.exec(text)
  if (based !== null) {
    const [, sign, hex, binary, octal] = based
    const digits = (hex ?? binary ?? octal ?? "").replaceAll("_", "")
    const value = Number.parseInt(digits, hex !== undefined ? 16 : binary !== undefined ? 2 : 8)
    if (Number.isSafeInteger(value)) return sign === "-" ? -value : value
  }
  if (INTEGER.test(text)) {
    const value = Number(text.replaceAll("_", ""))
    // A number that JavaScript cannot hold exactly stays as it is written.
    return Number.isSafeInteger(value) ? value : text
  }
  return FLOAT.test(text) ? Number(text) : text
}

/** A stack that ran out is the file's fault too. */
export function parseFile(text: string, file: string): Node[] {
  try {
    return parseYaml(text, file)
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    throw new DhowError("invalid", `${file}:1:1: the file nests too deeply`, { cause: error })
  }
}
