// File names as strings. A byte that is not part of valid UTF-8 becomes the lone surrogate U+DC80..U+DCFF, which valid
// UTF-8 never yields, so that every name survives decode and encode byte for byte.
const fatal = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })
const ESCAPE = 0xdc00

export function decodeName(bytes: Uint8Array): string {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("utf8")
  return text.includes("\ufffd") ? decodeExactly(bytes) : text
}

export function encodeName(name: string): Buffer {
  const bytes = Buffer.from(name)
  if (!/[\udc80-\udcff]/u.test(name)) return bytes
  const parts: Buffer[] = []
  for (const character of name) {
    const code = character.codePointAt(0) ?? 0
    parts.push(code >= ESCAPE + 0x80 && code <= ESCAPE + 0xff ? Buffer.of(code - ESCAPE) : Buffer.from(character))
  }
  return Buffer.concat(parts)
}

function decodeExactly(bytes: Uint8Array): string {
  let text = ""
  for (let at = 0; at < bytes.length; ) {
    const lead = bytes[at]!
    const length = lead < 0x80 ? 1 : lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc0 ? 2 : 0
    const character = length === 0 ? undefined : decodeOne(bytes.subarray(at, at + length))
    text += character ?? String.fromCharCode(ESCAPE + lead)
    at += character === undefined ? 1 : length
  }
  return text
}

function decodeOne(bytes: Uint8Array): string | undefined {
  try {
    return fatal.decode(bytes)
  } catch {
    return undefined
  }
}
