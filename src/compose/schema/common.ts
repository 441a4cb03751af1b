// Shapes that several parts of the schema use.
import { wordKey } from "../keys.ts"
import { flag, text, whole, word } from "../leaves.ts"
import { type LeafShape, type ListShape, list, type MapShape, map, type ObjectShape, object } from "../shape.ts"
import { longCommand } from "../short.ts"

export const texts: ListShape = list(text)
/** A list in which every word stands once. */
export const set: ListShape = list(text, { key: wordKey })
export const oneOrMore: ListShape = list(text, { single: true, key: wordKey })
/** "a=b" pairs or a mapping. */
export const pairs: MapShape = map(word, { pairs: true, fill: true })
export const environment: MapShape = map(word, { pairs: true, nullable: true })
export const options: MapShape = map(word)
export const names = /^[a-zA-Z0-9._-]+$/

export const command: ListShape = list(text, { replace: true, keep: true, from: longCommand })

export const hook: ObjectShape = object({ command, user: text, privileged: flag, working_dir: text, environment })

const count: LeafShape = {
  kind: "leaf",
  what: 'an integer or "all"',
  convert: (value, setting) => (value === "all" ? -1 : whole.convert(value, setting)),
}

export const device: ObjectShape = object({
  capabilities: texts,
  driver: text,
  count,
  device_ids: texts,
  options: pairs,
})
