// Variables in a Dockerfile line: $name, ${name}, ${name:-otherwise} and ${name:+instead}. One that is not set is empty.
import { DhowError } from "../../lib/errors.ts"

export type Lookup = (name: string) => string | undefined

/** Reads what begins with the dollar at `at`; `end` is the place after it. A dollar that begins nothing stands for itself. */
export function readVariable(
  text: string,
  at: number,
  lookup: Lookup,
): { readonly value: string; readonly end: number } {
  const plain = /^\$([A-Za-z_]\w*)/.exec(text.slice(at))
  if (plain !== null) return { value: lookup(plain[1]!) ?? "", end: at + plain[0].length }
  if (text[at + 1] !== "{") return { value: "$", end: at + 1 }
  const braced = /^\$\{([A-Za-z_]\w*)(?:(:?[-+])([^{}]*))?\}/.exec(text.slice(at))
  if (braced === null)
    throw new DhowError(
      "invalid",
      `failed to process "${text.slice(at, at + 80)}": syntax error or unsupported modifier`,
    )
  const [whole, name = "", modifier = "", word = ""] = braced
  const found = lookup(name)
  const isSet = modifier.startsWith(":") ? Boolean(found) : found !== undefined
  const rest = (): string => expand(word, lookup)
  const value =
    modifier === "" ? (found ?? "") : modifier.endsWith("-") ? (isSet ? found! : rest()) : isSet ? rest() : ""
  return { value, end: at + whole.length }
}

function expand(text: string, lookup: Lookup): string {
  let value = ""
  for (let at = 0; at < text.length; ) {
    const part = text[at] === "$" ? readVariable(text, at, lookup) : { value: text[at]!, end: at + 1 }
    value += part.value
    at = part.end
  }
  return value
}
