// KEY=VALUE lists from flags and files: environment, labels, log options. Files come first, flags override.
import { readFileSync } from "node:fs"
import { DhowError } from "../../lib/errors.ts"
import { cut } from "../flags/csv.ts"

type Lookup = (name: string) => string | undefined

const LINE_LIMIT = 64 * 1024

export function checkEnvironment(text: string, lookup: Lookup = (name) => process.env[name]): string {
  const [name, value] = cut(text, "=")
  if (name === "") throw new Error(`invalid environment variable: ${text}`)
  if (value !== undefined) return text
  const inherited = lookup(name)
  return inherited === undefined ? text : `${name}=${inherited}`
}

export function checkLabel(text: string): string {
  const name = cut(text, "=")[0].replace(/^[ \t]+/, "")
  if (name === "") throw new Error(`invalid label '${text}': empty name`)
  if (/[ \t]/.test(name)) throw new Error(`label '${text}' contains whitespaces`)
  return text
}

/** Reads a file of KEY=VALUE lines. A line with a key alone takes its value from `lookup`, or is left out. */
export function parseKeyValueFile(path: string, lookup: Lookup = () => undefined): string[] {
  let bytes: Buffer
  try {
    bytes = readFileSync(path)
  } catch (cause) {
    throw new DhowError("invalid", `open ${path}: no such file or directory`, { cause, exitCode: 125 })
  }
  try {
    return parseKeyValues(bytes, lookup)
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error)
    throw new DhowError("invalid", `invalid env file (${path}): ${detail}`, { exitCode: 125 })
  }
}

export function parseKeyValues(bytes: Uint8Array, lookup: Lookup): string[] {
  const lines: string[] = []
  const decoder = new TextDecoder("utf-8", { fatal: true })
  let text: string
  try {
    text = decoder.decode(bytes)
  } catch {
    throw new Error("invalid utf8 bytes")
  }
  for (const raw of text.split("\n")) {
    if (raw.length > LINE_LIMIT) throw new Error("bufio.Scanner: token too long")
    const line = raw.replace(/\r$/, "").replace(/^\s+/u, "")
    if (line === "" || line.startsWith("#")) continue
    const [name, value] = cut(line, "=")
    if (name === "") throw new Error(`no variable name on line '${line}'`)
    if (/[ \t]/.test(name)) throw new Error(`variable '${name}' contains whitespaces`)
    if (value !== undefined) lines.push(line)
    else {
      const inherited = lookup(name)
      if (inherited !== undefined) lines.push(`${name}=${inherited}`)
    }
  }
  return lines
}

export function keyValueMap(pairs: readonly string[]): Record<string, string> {
  const map: Record<string, string> = {}
  for (const pair of pairs) {
    const [name, value] = cut(pair, "=")
    map[name] = value ?? ""
  }
  return map
}
