// Splits a command line into words: quotes group, a backslash takes the next character as it is.

export function splitWords(line: string): string[] {
  const words: string[] = []
  let word: string | undefined
  let quote: string | undefined
  for (let at = 0; at < line.length; at++) {
    const letter = line[at]!
    if (quote === "'") {
      if (letter === "'") quote = undefined
      else word += letter
    } else if (letter === "\\") {
      const next = line[++at]
      if (next === undefined) throw new Error("the command ends with a backslash")
      // Within double quotes, only these lose the backslash.
      word = `${word ?? ""}${quote === '"' && !'"\\$`'.includes(next) ? "\\" : ""}${next}`
    } else if (quote === '"') {
      if (letter === '"') quote = undefined
      else word += letter
    } else if (letter === '"' || letter === "'") {
      quote = letter
      word ??= ""
    } else if (/\s/.test(letter)) {
      if (word !== undefined) words.push(word)
      word = undefined
    } else word = (word ?? "") + letter
  }
  if (quote !== undefined) throw new Error(`a quote ${quote} does not end`)
  if (word !== undefined) words.push(word)
  return words
}
