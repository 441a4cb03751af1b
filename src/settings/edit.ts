// A member of a JSON file set or taken out, by its path, with everything else of the text left as it was written.
import { DhowError } from "../lib/errors.ts"
import { type Member, parsePlaced } from "../lib/json-places.ts"

export function setMember(text: string, path: readonly string[], value: unknown): string {
  const source = text.trim() === "" ? "{}\n" : text
  const { root } = parsePlaced(source)
  return setIn(source, root, path, value)
}

type Place = Pick<Member, "valueStart" | "valueEnd" | "members">

function setIn(text: string, place: Place, path: readonly string[], value: unknown): string {
  const [name = "", ...rest] = path
  if (place.members === undefined)
    throw new DhowError("invalid", `Cannot set "${path.join(".")}": it is no member of an object`)
  const member = place.members.get(name)
  if (member !== undefined && rest.length > 0) return setIn(text, member, rest, value)
  const indent = indentOf(text, place)
  const written = JSON.stringify(nested(rest, value), null, indent.step).replaceAll("\n", `\n${indent.inner}`)
  if (member !== undefined) return splice(text, member.valueStart, member.valueEnd, written)
  const entry = `${JSON.stringify(name)}: ${written}`
  const last = [...place.members.values()].at(-1)
  if (last !== undefined) return splice(text, last.valueEnd, last.valueEnd, `,\n${indent.inner}${entry}`)
  return splice(text, place.valueStart, place.valueEnd, `{\n${indent.inner}${entry}\n${indent.outer}}`)
}

/** The text without the member; as it was where there is none. */
export function unsetMember(text: string, path: readonly string[]): string {
  if (text.trim() === "") return text
  let place: Place = parsePlaced(text).root
  for (const name of path.slice(0, -1)) {
    const member = place.members?.get(name)
    if (member === undefined) return text
    place = member
  }
  const names = [...(place.members ?? [])]
  const index = names.findIndex(([name]) => name === path.at(-1))
  const found = names[index]?.[1]
  if (found === undefined) return text
  const next = names[index + 1]?.[1]
  const before = names[index - 1]?.[1]
  if (next !== undefined) return splice(text, found.keyStart, next.keyStart, "")
  if (before !== undefined) return splice(text, before.valueEnd, found.valueEnd, "")
  return splice(text, place.valueStart, place.valueEnd, "{}")
}

function nested(path: readonly string[], value: unknown): unknown {
  return path.reduceRight((inner, name) => ({ [name]: inner }), value)
}

function splice(text: string, start: number, end: number, by: string): string {
  return text.slice(0, start) + by + text.slice(end)
}

/** As the object's first member is indented, or two spaces more than the object itself. */
function indentOf(text: string, { valueStart, members }: Place) {
  const outer = lineIndent(text, valueStart)
  const first = members?.values().next().value
  const own = first === undefined ? undefined : lineIndent(text, first.keyStart)
  const inner = own !== undefined && own.length > outer.length && own.startsWith(outer) ? own : `${outer}  `
  return { outer, inner, step: inner.slice(outer.length) }
}

function lineIndent(text: string, offset: number): string {
  const line = text.slice(text.lastIndexOf("\n", offset - 1) + 1, offset)
  return /^\s*/.exec(line)?.[0] ?? ""
}
