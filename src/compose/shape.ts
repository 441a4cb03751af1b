// The words the schema is written in: what a value may be, its long form, how two files' values merge, and what is left
// out of the canonical form. One table says all of it, so that checking and merging cannot disagree.
import type { Entry, Node, ScalarValue } from "./node.ts"

export type Value = Exclude<ScalarValue, null>

/** What turning short forms into long ones may need to know. */
export type Setting = {
  /** Directory that relative paths start from; undefined leaves them as they are. */
  readonly base: string | undefined
  readonly home: string
}

export type LeafShape = {
  readonly kind: "leaf"
  /** "a string", for messages. */
  readonly what: string
  /** Returns the canonical value, or throws what is wrong with it. */
  convert(value: Value, setting: Setting): Value
  /** Shown even when it is false, 0 or "". */
  readonly keep?: boolean
}

export type ListShape = {
  readonly kind: "list"
  readonly of: Shape
  /** A single value may stand for a list of it. */
  readonly single?: boolean
  /** A later file's list replaces the earlier one's; without it, it is appended. */
  readonly replace?: boolean
  /** Items of one key are the same one: the later wins, in the earlier one's position. */
  readonly key?: (item: Node) => string
  /** The list that another form stands for. Throws what is wrong with it. */
  readonly from?: (node: Node) => Node
  /** Makes long forms of an item; one may stand for several. Throws what is wrong with it. */
  readonly long?: (item: Node) => readonly Node[]
  /** An empty list is something else than none. */
  readonly keep?: boolean
}

export type MapShape = {
  readonly kind: "map"
  readonly of: Shape
  /** May be written as a list of "name=value". */
  readonly pairs?: boolean
  /** What a list of names stands for. */
  readonly named?: (name: Node) => Node
  /** Names may have no value: of "environment" (taken from outside) or of "networks". */
  readonly nullable?: boolean
  readonly names?: RegExp
  /** An entry without a value is an empty one. */
  readonly fill?: boolean
}

export type ObjectShape = {
  readonly kind: "object"
  readonly what?: string
  /** In the order of the canonical form. */
  readonly fields: Readonly<Record<string, Shape>>
  readonly required?: readonly string[]
  /** The long form of something that is no mapping, or undefined. */
  readonly short?: (node: Node) => Node | undefined
  /** Without x- fields. */
  readonly closed?: boolean
  /** Empty ones are left out. */
  readonly prune?: boolean
  /** Docker compose writes the fields' names with a capital letter in JSON. */
  readonly capital?: boolean
  /** Replaced as a whole when this field differs. */
  readonly unless?: string
  /** What depends on several fields of one file, as paths. */
  readonly settle?: (entries: Map<string, Entry>, setting: Setting) => void
  /** Other words for the long form, once all of it is there. */
  readonly defaults?: (fields: Map<string, Node>, node: Node) => void
}

/** Anything: extension fields. */
export type AnyShape = { readonly kind: "any" }
/** A value with two forms that stay apart in the canonical form, as of ulimits. */
export type EitherShape = { readonly kind: "either"; readonly scalar: LeafShape; readonly object: ObjectShape }

export type Shape = LeafShape | ListShape | MapShape | ObjectShape | AnyShape | EitherShape

export const any: AnyShape = { kind: "any" }

export const list = (of: Shape, more: Partial<ListShape> = {}): ListShape => ({ kind: "list", of, ...more })
export const map = (of: Shape, more: Partial<MapShape> = {}): MapShape => ({ kind: "map", of, ...more })
export const object = (fields: Readonly<Record<string, Shape>>, more: Partial<ObjectShape> = {}): ObjectShape => ({
  kind: "object",
  fields,
  ...more,
})
export const keep = (shape: LeafShape): LeafShape => ({ ...shape, keep: true })
