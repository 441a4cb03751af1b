// JSON without loss: integers that a double cannot hold (Go's int64: ulimits, nanoseconds) are read as bigints, and
// written as they came.

type Reviver = (key: string, value: unknown, context: { readonly source?: string }) => unknown

const exactly: Reviver = (_, value, { source }) =>
  typeof value === "number" && Number.isInteger(value) && !Number.isSafeInteger(value) && /^-?\d+$/.test(source ?? "")
    ? BigInt(source!)
    : value

export function fromJson(text: string): unknown {
  // The third argument is newer than the library's types.
  return JSON.parse(text, exactly as (key: string, value: unknown) => unknown)
}

const { rawJSON } = JSON as unknown as { rawJSON(text: string): unknown }

export function toJson(value: unknown): string {
  const text = JSON.stringify(value, (_, one: unknown) => (typeof one === "bigint" ? rawJSON(one.toString()) : one))
  return text ?? "null"
}

/** The same document on several lines, its tokens untouched. */
export function indentJson(text: string, indent: string): string {
  let out = ""
  let depth = 0
  const line = (): string => `\n${indent.repeat(depth)}`
  const tokens = text.match(/"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/g) ?? []
  for (const [index, token] of tokens.entries()) {
    if (token === "{" || token === "[") {
      const isEmpty = tokens[index + 1] === "}" || tokens[index + 1] === "]"
      depth++
      out += isEmpty ? token : token + line()
    } else if (token === "}" || token === "]") {
      depth--
      out += tokens[index - 1] === "{" || tokens[index - 1] === "[" ? token : line() + token
    } else if (token === ",") out += `,${line()}`
    else out += token === ":" ? ": " : token
  }
  return out
}
