// One record of comma-separated values (RFC 4180), as --mount and --network take them.

export function parseCsvRecord(text: string): string[] {
  const fields: string[] = []
  let at = 0
  while (true) {
    if (text[at] === '"') {
      let field = ""
      at++
      while (true) {
        const quote = text.indexOf('"', at)
        if (quote < 0) throw new Error(`extraneous or missing " in quoted-field`)
        field += text.slice(at, quote)
        at = quote + 1
        if (text[at] !== '"') break
        field += '"'
        at++
      }
      if (at < text.length && text[at] !== ",") throw new Error(`extraneous or missing " in quoted-field`)
      fields.push(field)
    } else {
      const comma = text.indexOf(",", at)
      const field = text.slice(at, comma < 0 ? undefined : comma)
      if (field.includes('"')) throw new Error(`bare " in non-quoted-field`)
      fields.push(field)
      at += field.length
    }
    if (at >= text.length) return fields
    at++
  }
}

/** Splits at the first separator: [before, after], after undefined where there is none. */
export function cut(text: string, separator: string): [string, string | undefined] {
  const at = text.indexOf(separator)
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + separator.length)]
}

export function parseBoolean(text: string): boolean {
  if (/^(1|t|T|TRUE|true|True)$/.test(text)) return true
  if (/^(0|f|F|FALSE|false|False)$/.test(text)) return false
  throw new Error(`invalid boolean value: ${text}`)
}
