// Names of files on a terminal: a stranger chose them, so whatever could move the cursor, break the line or change the
// direction of the text is spelled out, and so is every byte that is no text.
const UNSAFE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\\]/gu
const ESCAPES: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t", "\\": "\\\\" }

/** The name with C's escapes: "a\nb", "\x1b[2J", "\xff". */
export function shownName(name: string): string {
  return name.replace(UNSAFE, escapeOf)
}

function escapeOf(character: string): string {
  const known = ESCAPES[character]
  if (known !== undefined) return known
  const code = character.codePointAt(0) ?? 0
  // A byte that is not UTF-8, as lib/tar/names.ts keeps it.
  if (code >= 0xdc80 && code <= 0xdcff) return `\\x${(code - 0xdc00).toString(16)}`
  if (code < 0x80) return `\\x${code.toString(16).padStart(2, "0")}`
  return code > 0xffff ? `\\U${code.toString(16).padStart(8, "0")}` : `\\u${code.toString(16).padStart(4, "0")}`
}
