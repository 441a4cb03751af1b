// Words of a Dockerfile line: separated by blanks, with single quotes, double quotes and backslashes taken away, and
// variables replaced by what they stand for, which is not split again.
import { type Lookup, readVariable } from "./variables.ts"

/** Without `lookup` a dollar stands for itself. */
export function splitWords(text: string, lookup?: Lookup): readonly string[] {
  const words: string[] = []
  let word: string | undefined
  let quote = ""
  for (let at = 0; at < text.length; at++) {
    const character = text[at]!
    if (character === "\\" && quote !== "'" && at + 1 < text.length) {
      const next = text[++at]!
      // Within double quotes a backslash keeps its meaning only before what it can escape.
      word = (word ?? "") + (quote === '"' && !'"\\$'.includes(next) ? `\\${next}` : next)
    } else if (character === "$" && quote !== "'" && lookup !== undefined) {
      const { value, end } = readVariable(text, at, lookup)
      // A variable of nothing is no word by itself.
      if (value !== "" || word !== undefined) word = (word ?? "") + value
      at = end - 1
    } else if (quote !== "") {
      if (character === quote) quote = ""
      else word = (word ?? "") + character
    } else if (character === "'" || character === '"') {
      quote = character
      word ??= ""
    } else if (/\s/.test(character)) {
      if (word !== undefined) words.push(word)
      word = undefined
    } else word = (word ?? "") + character
  }
  if (word !== undefined) words.push(word)
  return words
}
