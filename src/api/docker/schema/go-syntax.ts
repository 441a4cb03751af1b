// Why a text is not JSON, in the words of Docker's decoder. Runs only after JSON.parse has refused the text: it finds the
// place, not the value. Works without recursion, however deep the text is nested.

/** The decoder gives up below this. */
const DEEPEST = 10_000

type Fault = { readonly fault: string } | { readonly end: number }

/** What is wrong with the first value of the text, or where that value ends. */
export function scanJson(text: string): Fault {
  const open: ("object" | "array")[] = []
  let at = blanks(text, 0)
  let wants: "value" | "key" | "key-or-end" | "value-or-end" | "more" = "value"
  for (;;) {
    const sign = text[at]
    if (sign === undefined) return { fault: at === 0 ? "EOF" : "unexpected EOF" }
    if (wants === "more") {
      const inside = open.at(-1)
      if (inside === undefined) return { end: at }
      if (sign === ",") wants = inside === "object" ? "key" : "value"
      else if (sign === (inside === "object" ? "}" : "]")) open.pop()
      else return unexpected(sign, inside === "object" ? "after object key:value pair" : "after array element")
      at++
    } else if ((wants === "key-or-end" && sign === "}") || (wants === "value-or-end" && sign === "]")) {
      open.pop()
      wants = "more"
      at++
    } else if (wants === "key" || wants === "key-or-end") {
      if (sign !== '"') return unexpected(sign, "looking for beginning of object key string")
      const key = string(text, at)
      if ("fault" in key) return key
      at = blanks(text, key.end)
      if (at === text.length) return { fault: "unexpected EOF" }
      if (text[at] !== ":") return unexpected(text[at]!, "after object key")
      at++
      wants = "value"
    } else if (sign === "{" || sign === "[") {
      open.push(sign === "{" ? "object" : "array")
      if (open.length > DEEPEST) return unexpected(sign, "exceeded max depth")
      wants = sign === "{" ? "key-or-end" : "value-or-end"
      at++
    } else {
      const scalar = sign === '"' ? string(text, at) : /[-\d]/.test(sign) ? number(text, at) : word(text, at)
      if ("fault" in scalar) return scalar
      at = scalar.end
      wants = "more"
    }
    if (wants === "more" && open.length === 0) return { end: at }
    at = blanks(text, at)
  }
}

function blanks(text: string, from: number): number {
  let at = from
  while (at < text.length && " \t\r\n".includes(text[at]!)) at++
  return at
}

function string(text: string, from: number): Fault {
  for (let at = from + 1; at < text.length; at++) {
    const sign = text[at]!
    if (sign === '"') return { end: at + 1 }
    if (sign < " ") return unexpected(sign, "in string literal")
    if (sign !== "\\") continue
    at++
    const escaped = text[at]
    if (escaped === undefined) break
    if (!'bfnrt\\/"u'.includes(escaped)) return unexpected(escaped, "in string escape code")
    if (escaped !== "u") continue
    for (const last = at + 4; at < last; ) {
      at++
      const digit = text[at]
      if (digit === undefined) return { fault: "unexpected EOF" }
      if (!/[0-9a-fA-F]/.test(digit)) return unexpected(digit, "in \\u hexadecimal character escape")
    }
  }
  return { fault: "unexpected EOF" }
}

function number(text: string, from: number): Fault {
  let at = from
  const digits = (where: string): Fault | undefined => {
    const sign = text[at]
    if (sign === undefined) return { fault: "unexpected EOF" }
    if (!/\d/.test(sign)) return unexpected(sign, where)
    while (/\d/.test(text[at] ?? "")) at++
    return undefined
  }
  if (text[at] === "-") at++
  if (text[at] === "0") at++
  else {
    const fault = digits("in numeric literal")
    if (fault !== undefined) return fault
  }
  if (text[at] === ".") {
    at++
    const fault = digits("after decimal point in numeric literal")
    if (fault !== undefined) return fault
  }
  if (/[eE]/.test(text[at] ?? "")) {
    at++
    if (/[+-]/.test(text[at] ?? "")) at++
    const fault = digits("in exponent of numeric literal")
    if (fault !== undefined) return fault
  }
  return { end: at }
}

function word(text: string, from: number): Fault {
  const wanted = ["true", "false", "null"].find((candidate) => candidate[0] === text[from])
  if (wanted === undefined) return unexpected(text[from]!, "looking for beginning of value")
  for (let index = 1; index < wanted.length; index++) {
    const sign = text[from + index]
    if (sign === undefined) return { fault: "unexpected EOF" }
    if (sign !== wanted[index]) return unexpected(sign, `in literal ${wanted} (expecting ${quoted(wanted[index]!)})`)
  }
  return { end: from + wanted.length }
}

function unexpected(sign: string, where: string): Fault {
  return { fault: `invalid character ${quoted(sign)} ${where}` }
}

const SHORT: Readonly<Record<string, string>> = {
  "\n": "\\n",
  "\t": "\\t",
  "\r": "\\r",
  "\b": "\\b",
  "\f": "\\f",
  "\v": "\\v",
}

/** As the decoder shows a byte: text beyond ASCII by its first byte. */
function quoted(sign: string): string {
  if (sign === "'") return "'\\''"
  if (sign === "\\") return "'\\\\'"
  const byte = Buffer.from(sign, "utf8")[0] ?? 0
  if (byte === 7) return "'\\a'"
  if (byte < 32 || byte === 127) return `'${SHORT[sign] ?? `\\x${byte.toString(16).padStart(2, "0")}`}'`
  if (byte < 128) return `'${sign}'`
  return `'${byte < 0xa1 || byte === 0xad ? `\\u${byte.toString(16).padStart(4, "0")}` : String.fromCharCode(byte)}'`
}
