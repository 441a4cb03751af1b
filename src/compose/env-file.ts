// Environment files (.env, env_file): NAME=value, quotes, comments, export, and variables in what is not in single
// quotes. `raw` files are taken line by line, as they are.
import { DhowError } from "../lib/errors.ts"
import { interpolate, type Lookup } from "./interpolate.ts"

export type EnvFileFormat = "raw" | undefined

const ESCAPES: Readonly<Record<string, string>> = {
  a: "\x07",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
  "\\": "\\",
  '"': '"',
}
const SPACE = /[\t\v\f\r \u0085\u00a0]/

export function parseEnvFile(
  text: string,
  file: string,
  { lookup, format }: { readonly lookup: Lookup; readonly format?: EnvFileFormat },
): Map<string, string> {
  const source = text.startsWith("\ufeff") ? text.slice(1) : text
  if (format === "raw") return parseRaw(source, lookup)
  const values = new Map<string, string>()
  const reader = new Reader(source, file)
  const expand = (value: string): string => interpolate(value, (name) => lookup(name) ?? values.get(name))
  while (reader.toStatement()) {
    const { name, hasValue } = reader.name()
    if (!hasValue) {
      const inherited = lookup(name)
      if (inherited !== undefined) values.set(name, inherited)
      continue
    }
    values.set(name, reader.value(expand))
  }
  return values
}

function parseRaw(text: string, lookup: Lookup): Map<string, string> {
  const values = new Map<string, string>()
  for (const line of text.split(/\r?\n/)) {
    if (line.trim() === "" || line.trimStart().startsWith("#")) continue
    const equals = line.indexOf("=")
    const name = equals < 0 ? line : line.slice(0, equals)
    const value = equals < 0 ? lookup(name) : line.slice(equals + 1)
    if (value !== undefined) values.set(name, value)
  }
  return values
}

class Reader {
  readonly #text: string
  readonly #file: string
  #at = 0

  constructor(text: string, file: string) {
    this.#text = text
    this.#file = file
  }

  /** Goes to the next statement; false at the end. */
  toStatement(): boolean {
    for (;;) {
      while (this.#at < this.#text.length && /\s/.test(this.#text[this.#at]!)) this.#at++
      if (this.#at >= this.#text.length) return false
      if (this.#text[this.#at] !== "#") return true
      this.#skipLine()
    }
  }

  name(): { readonly name: string; readonly hasValue: boolean } {
    const exported = /export[\t ]+/y
    exported.lastIndex = this.#at
    if (exported.test(this.#text)) this.#at = exported.lastIndex
    const start = this.#at
    for (; this.#at < this.#text.length; this.#at++) {
      const letter = this.#text[this.#at]!
      if (letter === "=" || letter === ":" || letter === "\n") break
      if (!SPACE.test(letter) && !/[\p{L}\p{N}_.[\]-]/u.test(letter))
        throw this.#problem(`unexpected character "${letter}" in a variable's name`)
    }
    const name = this.#text.slice(start, this.#at).trimEnd()
    if (/\s/.test(name)) throw this.#problem("a variable's name cannot contain a space")
    const hasValue = this.#at < this.#text.length && this.#text[this.#at] !== "\n"
    if (hasValue) this.#at++
    return { name, hasValue }
  }

  value(expand: (text: string) => string): string {
    while (this.#at < this.#text.length && SPACE.test(this.#text[this.#at]!)) this.#at++
    const quote = this.#text[this.#at]
    if (quote !== '"' && quote !== "'") {
      const start = this.#at
      this.#skipLine()
      const line = this.#text.slice(start, this.#at)
      const comment = line.indexOf(" #")
      return this.#expanded(expand, (comment < 0 ? line : line.slice(0, comment)).trimEnd())
    }
    const start = this.#at
    let value = ""
    for (this.#at++; this.#at < this.#text.length; this.#at++) {
      const letter = this.#text[this.#at]!
      if (letter === "\\" && this.#at + 1 < this.#text.length) {
        const escaped = this.#text[++this.#at]!
        value += escaped === quote ? quote : `\\${escaped}`
      } else if (letter === quote) {
        this.#at++
        return quote === "'" ? value : this.#expanded(expand, unescaped(value))
      } else value += letter
    }
    this.#at = start
    throw this.#problem("a quoted value does not end")
  }

  #expanded(expand: (text: string) => string, text: string): string {
    try {
      return expand(text)
    } catch (error) {
      throw this.#problem(error instanceof Error ? error.message : String(error))
    }
  }

  #skipLine(): void {
    const end = this.#text.indexOf("\n", this.#at)
    this.#at = end < 0 ? this.#text.length : end
  }

  #problem(message: string): DhowError {
    const line = this.#text.slice(0, this.#at).split("\n").length
    return new DhowError("invalid", `${this.#file}:${line}: ${message}`)
  }
}

function unescaped(text: string): string {
  return text.replace(/\\(0[0-7]{0,3}|[abcfnrtv$"\\])/g, (whole, code: string) => {
    // The expansion that follows makes one dollar of two.
    if (code === "$") return "$$"
    if (code.startsWith("0")) return code.length === 4 ? String.fromCharCode(Number.parseInt(code, 8) & 0xff) : whole
    return ESCAPES[code] ?? whole
  })
}
