// The key sequence that takes a client off a terminal, as users write it: letters and ctrl-letters, with commas between.
import { DhowError } from "./errors.ts"

const DEFAULT_KEYS = Uint8Array.of(16, 17)
const CONTROL_SIGNS = new Map([
  ["@", 0],
  ["[", 27],
  ["\\", 28],
  ["]", 29],
  ["^", 30],
  ["_", 31],
])

/** Reads "ctrl-p,ctrl-q" or "ctrl-@,x"; an empty text stands for the default. */
export function parseDetachKeys(text: string | undefined, word = "detach"): Uint8Array {
  if (text === undefined || text === "") return DEFAULT_KEYS
  const keys = text.split(",").map(parseKey)
  if (keys.some((key) => key === undefined))
    throw new DhowError("invalid", `Invalid ${word} keys (${text}) provided`, {
      hint: 'Use for instance "ctrl-p,ctrl-q"',
    })
  return Uint8Array.from(keys as number[])
}

function parseKey(key: string): number | undefined {
  if (key.length === 1 && key.charCodeAt(0) < 128) return key.charCodeAt(0)
  if (key === "DEL") return 127
  if (!key.startsWith("ctrl-") || key.length !== 6) return undefined
  const letter = key.slice(5)
  const code = letter.toLowerCase().charCodeAt(0)
  return code >= 97 && code <= 122 ? code - 96 : CONTROL_SIGNS.get(letter)
}
