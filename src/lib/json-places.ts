// JSON with the places of its members: what JSON.parse understands, and nothing more, but an error says line and column,
// and every member of an object can be found in the text, to be named in a message or to be edited.
import { DhowError } from "./errors.ts"

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json }

/** Offsets into the text; `line` counts from 1. */
export type Member = {
  readonly line: number
  readonly keyStart: number
  readonly valueStart: number
  readonly valueEnd: number
  /** Of a value that is an object. */
  readonly members: ReadonlyMap<string, Member> | undefined
}

export type Placed = { readonly value: Json; readonly root: Omit<Member, "keyStart"> }

const DEEPEST = 100

/** Throws "invalid" with line and column, or for a key that an object has twice. */
export function parsePlaced(text: string): Placed {
  const reader = new Reader(text)
  reader.space()
  const value = reader.value(0)
  reader.space()
  if (reader.at < text.length) reader.fail("expected the end of the file")
  return { value: value.value, root: { ...value, line: 1 } }
}

type Read = Pick<Member, "valueStart" | "valueEnd" | "members"> & { readonly value: Json }

class Reader {
  readonly #text: string
  at = 0

  constructor(text: string) {
    this.#text = text
  }

  value(depth: number): Read {
    if (depth > DEEPEST) this.fail(`expected at most ${DEEPEST} levels`)
    const first = this.#text[this.at]
    const start = this.at
    if (first === "{") return this.#object(depth)
    if (first === "[") return this.#array(depth)
    const match = /"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*|true|false|null/y
    match.lastIndex = start
    const found = match.exec(this.#text)?.[0]
    if (found === undefined) this.fail(first === '"' ? "a text does not end" : "expected a value")
    try {
      const value = JSON.parse(found) as Json
      this.at += found.length
      return { value, valueStart: start, valueEnd: this.at, members: undefined }
    } catch {
      this.fail(first === '"' ? "a text with an escape or a control character that JSON has not" : "not a number")
    }
  }

  #array(depth: number): Read {
    const start = this.at++
    const value: Json[] = []
    for (this.space(); this.#text[this.at] !== "]"; this.space()) {
      if (value.length > 0) this.#expect(",", "expected , or ]")
      this.space()
      value.push(this.value(depth + 1).value)
    }
    this.at++
    return { value, valueStart: start, valueEnd: this.at, members: undefined }
  }

  #object(depth: number): Read {
    const start = this.at++
    const value: Record<string, Json> = {}
    const members = new Map<string, Member>()
    for (this.space(); this.#text[this.at] !== "}"; this.space()) {
      if (members.size > 0) this.#expect(",", "expected , or }")
      this.space()
      const keyStart = this.at
      if (this.#text[keyStart] !== '"') this.fail('expected a key in "double quotes"')
      const key = this.value(depth + 1).value as string
      const line = this.#lineOf(keyStart)
      const before = members.get(key)
      if (before !== undefined) this.fail(`the key "${key}" is given twice, first in line ${before.line}`, keyStart)
      this.space()
      this.#expect(":", `expected : after the key "${key}"`)
      this.space()
      const read = this.value(depth + 1)
      // A plain assignment of "__proto__" would be lost.
      Object.defineProperty(value, key, { value: read.value, enumerable: true, configurable: true, writable: true })
      members.set(key, {
        line,
        keyStart,
        valueStart: read.valueStart,
        valueEnd: read.valueEnd,
        members: read.members,
      })
    }
    this.at++
    return { value, valueStart: start, valueEnd: this.at, members }
  }

  space(): void {
    while (" \t\r\n".includes(this.#text[this.at] ?? "x")) this.at++
  }

  #expect(character: string, otherwise: string): void {
    if (this.#text[this.at] !== character) this.fail(otherwise)
    this.at++
  }

  #lineOf(offset: number): number {
    return this.#text.slice(0, offset).split("\n").length
  }

  fail(what: string, offset = this.at): never {
    const column = offset - this.#text.lastIndexOf("\n", offset - 1)
    const found = offset >= this.#text.length ? "the file ends" : `there is ${JSON.stringify(this.#text[offset])}`
    throw new DhowError("invalid", `line ${this.#lineOf(offset)}, column ${column}: ${what}, ${found}`)
  }
}
