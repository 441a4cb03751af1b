// The kinds of single values in a compose file, each with its canonical form.
import { homedir } from "node:os"
import { isAbsolute, join, normalize } from "node:path"
import { parseDuration } from "../lib/duration.ts"
import { parseBytes } from "../lib/size.ts"
import { formatDuration } from "./duration.ts"
import type { LeafShape, Setting, Value } from "./shape.ts"

const leaf = (what: string, convert: LeafShape["convert"]): LeafShape => ({ kind: "leaf", what, convert })

function wrong(what: string, value: Value): never {
  throw new Error(`${JSON.stringify(value)} is not ${what}`)
}

export const text = leaf("a string", (value) => (typeof value === "string" ? value : wrong("a string", value)))

/** Numbers and booleans stand for how they are written. */
export const word = leaf("a string, number or boolean", (value) => wordText(value))

export function wordText(value: Value): string {
  if (typeof value !== "number" || Number.isInteger(value) || (Math.abs(value) < 1e21 && Math.abs(value) >= 1e-4))
    return String(value)
  return value.toExponential().replace(/e([+-])(\d)$/, "e$10$2")
}

export const flag = leaf("a boolean", (value) => {
  if (typeof value === "boolean") return value
  switch (String(value).toLowerCase()) {
    case "true":
    case "y":
    case "yes":
    case "on":
      return true
    case "false":
    case "n":
    case "no":
    case "off":
      return false
  }
  return wrong("a boolean", value)
})

export const whole = leaf("an integer", (value) => {
  const number = typeof value === "string" && /^[-+]?\d+$/.test(value) ? Number(value) : value
  return typeof number === "number" && Number.isSafeInteger(number) ? number : wrong("an integer", value)
})

export const decimal = leaf("a number", (value) => {
  const number = typeof value === "string" && value.trim() !== "" ? Number(value) : value
  return typeof number === "number" && Number.isFinite(number) ? number : wrong("a number", value)
})

/** Sizes are written with units, and canonical in bytes. */
export const bytes = leaf("a size", (value) => {
  if (typeof value === "boolean") return wrong("a size", value)
  return value === -1 || value === "-1" ? "-1" : String(parseBytes(String(value)))
})

export const time = leaf("a duration", (value) => {
  if (typeof value !== "string") return wrong("a duration such as 1m30s", value)
  const days = /^(?:(\d+)w)?(?:(\d+)d)?(.*)$/.exec(value)!
  const hours = (Number(days[1] ?? 0) * 7 + Number(days[2] ?? 0)) * 24
  return formatDuration((days[3] === "" && hours > 0 ? 0 : parseDuration(days[3]!)) + hours * 3600e9)
})

/** "0440": files' modes are octal. */
export const mode = leaf("a file mode", (value) => {
  const number =
    typeof value === "string" && /^0?o?[0-7]{1,5}$/.test(value) ? Number.parseInt(value.replace("o", ""), 8) : value
  return typeof number === "number" && Number.isInteger(number) ? `0${number.toString(8)}` : wrong("a file mode", value)
})

export const modeNumber = leaf("a file mode", (value) => {
  const number = typeof value === "string" && /^[0-7]{1,5}$/.test(value) ? Number.parseInt(value, 8) : value
  return typeof number === "number" && Number.isInteger(number) ? number : wrong("a file mode", value)
})

export const port = leaf("a port", (value) => {
  const number = typeof value === "string" && /^\d+$/.test(value) ? Number(value) : value
  return typeof number === "number" && Number.isInteger(number) && number >= 0 && number <= 65535
    ? number
    : wrong("a port", value)
})

export function oneOf(...words: readonly string[]): LeafShape {
  const what = `one of ${words.map((one) => `"${one}"`).join(", ")}`
  return leaf(what, (value) => (typeof value === "string" && words.includes(value) ? value : wrong(what, value)))
}

export function matching(pattern: RegExp, what: string): LeafShape {
  return leaf(what, (value) => (typeof value === "string" && pattern.test(value) ? value : wrong(what, value)))
}

/** A file or directory: absolute in the canonical form. */
export const path = leaf("a path", (value, setting) =>
  typeof value === "string" ? absolute(value, setting) : wrong("a path", value),
)

export function absolute(value: string, { base, home }: Setting): string {
  if (base === undefined || value === "") return value
  const expanded = value === "~" ? home : value.startsWith("~/") ? join(home, value.slice(2)) : value
  return isAbsolute(expanded) ? expanded : join(base, expanded).replace(/(.)\/$/, "$1")
}

/** A directory to build from, or something that is none: an address, another service. */
export const buildContext = leaf("a path or address", (value, setting) => {
  if (typeof value !== "string") return wrong("a path or address", value)
  const isElsewhere = /^(?:[a-z][a-z0-9+.-]*:\/\/|git@|github\.com\/|service:|target:)/.test(value)
  return isElsewhere ? value : absolute(value, setting)
})

export const target = leaf("a path in the container", (value) => {
  if (typeof value !== "string") return wrong("a path in the container", value)
  return value === "" ? "" : normalize(value).replace(/(.)\/$/, "$1")
})

export const userHome = (): string => process.env["HOME"] || homedir()
