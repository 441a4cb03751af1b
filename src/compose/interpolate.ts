// Variables in strings: $NAME, ${NAME}, ${NAME:-word}, ${NAME-word}, ${NAME:?word}, ${NAME?word}, ${NAME:+word},
// ${NAME+word}, with words that hold variables themselves; "$$" is a dollar.
import { DhowError } from "../lib/errors.ts"

export type Lookup = (name: string) => string | undefined
/** Told of variables that are not set, and have no default. */
export type OnMissing = (name: string) => void

const NAME = /[A-Za-z_][A-Za-z0-9_]*/y
const OPERATOR = /:?[-?+]/y
const DEEPEST = 50

export class TemplateError extends DhowError {}

export function interpolate(text: string, lookup: Lookup, onMissing: OnMissing = () => {}): string {
  return text.includes("$") ? substitute(text, { lookup, onMissing }, 0) : text
}

type Scope = { readonly lookup: Lookup; readonly onMissing: OnMissing }

function substitute(text: string, scope: Scope, depth: number): string {
  if (depth > DEEPEST) throw new TemplateError("invalid", "variables nest too deeply")
  let result = ""
  let at = 0
  while (at < text.length) {
    const dollar = text.indexOf("$", at)
    if (dollar < 0) return result + text.slice(at)
    result += text.slice(at, dollar)
    const next = text[dollar + 1]
    if (next === "$") {
      result += "$"
      at = dollar + 2
    } else if (next === "{") {
      const end = closingBrace(text, dollar + 1)
      result += braced(text.slice(dollar + 2, end), scope, depth)
      at = end + 1
    } else {
      const name = matchAt(NAME, text, dollar + 1)
      result += name === undefined ? "$" : plain(name, scope)
      at = dollar + 1 + (name?.length ?? 0)
    }
  }
  return result
}

function braced(inner: string, scope: Scope, depth: number): string {
  const name = matchAt(NAME, inner, 0)
  if (name === undefined) throw malformed(`\${${inner}}`)
  if (name.length === inner.length) return plain(name, scope)
  const operator = matchAt(OPERATOR, inner, name.length)
  if (operator === undefined) throw malformed(`\${${inner}}`)
  const word = (): string => substitute(inner.slice(name.length + operator.length), scope, depth + 1)
  const value = scope.lookup(name)
  const isThere = value !== undefined && (operator.length === 1 || value !== "")
  switch (operator.at(-1)) {
    case "-":
      return isThere ? value : word()
    case "+":
      return isThere ? word() : (value ?? "")
    default: {
      if (isThere) return value
      const reason = word()
      throw new TemplateError(
        "invalid",
        `required variable ${name} is missing a value${reason === "" ? "" : `: ${reason}`}`,
      )
    }
  }
}

function plain(name: string, scope: Scope): string {
  const value = scope.lookup(name)
  if (value === undefined) scope.onMissing(name)
  return value ?? ""
}

/** `at` is the opening brace; braces within count, whether or not a dollar stands before them. */
function closingBrace(text: string, at: number): number {
  let open = 0
  for (let index = at; index < text.length; index++) {
    if (text[index] === "{") open++
    else if (text[index] === "}" && --open === 0) return index
  }
  throw malformed(text.slice(at - 1))
}

function matchAt(pattern: RegExp, text: string, at: number): string | undefined {
  pattern.lastIndex = at
  return pattern.exec(text)?.[0]
}

function malformed(what: string): TemplateError {
  return new TemplateError("invalid", `invalid interpolation format "${what}"`, {
    hint: "Write $$ for a dollar that starts no variable",
  })
}
