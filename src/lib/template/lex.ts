// Splits a template into text and actions, and an action into tokens. Trim markers ({{- and -}}) are applied here.
import { DhowError } from "../errors.ts"

export type Token = {
  readonly kind: "string" | "number" | "field" | "variable" | "word" | "dot" | "(" | ")" | "|" | "," | ":=" | "="
  readonly text: string
  /** White space came before it: ".A .B" are two operands, ".A.B" is one. */
  readonly spaced: boolean
}

export type Piece = { readonly text: string } | { readonly action: readonly Token[] }

export function templateError(message: string): DhowError {
  return new DhowError("invalid", `template parsing error: template: ${message}`)
}

export function splitTemplate(source: string): Piece[] {
  const pieces: Piece[] = []
  let at = 0
  let trimNext = false
  while (at < source.length) {
    const open = source.indexOf("{{", at)
    let text = source.slice(at, open < 0 ? undefined : open)
    if (trimNext) text = text.trimStart()
    if (open < 0) {
      if (text !== "") pieces.push({ text })
      break
    }
    const start = /^-\s/.test(source.slice(open + 2, open + 4)) ? open + 3 : open + 2
    if (start > open + 2) text = text.trimEnd()
    if (text !== "") pieces.push({ text })
    const close = endOfAction(source, start)
    const trimmed = /\s-$/.test(source.slice(start, close))
    const body = source.slice(start, trimmed ? close - 1 : close)
    if (!/^\s*\/\*[\s\S]*\*\/\s*$/.test(body)) pieces.push({ action: tokenize(body) })
    trimNext = trimmed
    at = close + 2
  }
  return pieces
}

/** The position of the closing braces, which may not be those within a string. */
function endOfAction(source: string, from: number): number {
  const part = /"(?:[^"\\\n]|\\.)*"|`[^`]*`|\}\}|[\s\S]/gy
  part.lastIndex = from
  for (let found = part.exec(source); found !== null; found = part.exec(source))
    if (found[0] === "}}") return found.index
  throw templateError(":1: unclosed action")
}

const TOKEN =
  /\s+|("(?:[^"\\\n]|\\.)*"|`[^`]*`)|('(?:[^'\\]|\\.)+')|([+-]?(?:0[xX][0-9a-fA-F]+|\d+(?:\.\d+)?(?:[eE][+-]?\d+)?))|(\.[\p{L}_][\p{L}\p{N}_]*)|(\$[\p{L}\p{N}_]*)|([\p{L}_][\p{L}\p{N}_]*)|(\.)|(:=|[=()|,])/uy

function tokenize(body: string): Token[] {
  const tokens: Token[] = []
  let spaced = false
  TOKEN.lastIndex = 0
  while (TOKEN.lastIndex < body.length) {
    const at = TOKEN.lastIndex
    const found = TOKEN.exec(body)
    if (found === null) throw templateError(`:1: unexpected ${JSON.stringify(body[at])} in operand`)
    const [all, string, character, number, field, variable, word, dot, mark] = found
    const push = (kind: Token["kind"], text: string): void => {
      tokens.push({ kind, text, spaced })
      spaced = false
    }
    if (string !== undefined) push("string", unquote(string))
    else if (character !== undefined) push("number", String(unquote(`"${character.slice(1, -1)}"`).codePointAt(0)))
    else if (number !== undefined) push("number", number)
    else if (field !== undefined) push("field", field.slice(1))
    else if (variable !== undefined) push("variable", variable)
    else if (word !== undefined) push("word", word)
    else if (dot !== undefined) push("dot", ".")
    else if (mark !== undefined) push(mark as Token["kind"], mark)
    else if (all !== "") spaced = true
  }
  return tokens
}

const ESCAPES: Readonly<Record<string, string>> = { n: "\n", t: "\t", r: "\r", a: "\x07", b: "\b", f: "\f", v: "\v" }

function unquote(text: string): string {
  if (text.startsWith("`")) return text.slice(1, -1)
  return text
    .slice(1, -1)
    .replace(/\\(x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[0-7]{3}|.)/gs, (_, code: string) => {
      if (/^[xuU]./.test(code)) return String.fromCodePoint(Number.parseInt(code.slice(1), 16))
      if (/^[0-7]{3}$/.test(code)) return String.fromCodePoint(Number.parseInt(code, 8))
      return ESCAPES[code] ?? code
    })
}
