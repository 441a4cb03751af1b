// Values of log options, read as Docker's libraries read them: sizes, truth values, durations, whole numbers.
import { DhowError } from "../../lib/errors.ts"
import { parseDuration } from "../../lib/timestamp.ts"

const SIZE = /^(\d+(?:\.\d+)*) ?([kmgtp]?)i?b?$/i

/** "10m" for what is kept on a disk: thousands. */
export function parseHumanSize(text: string): number {
  return parseSize(text, 1000)
}

/** "1m" for what is kept in memory: 1024. */
export function parseRamSize(text: string): number {
  return parseSize(text, 1024)
}

function parseSize(text: string, base: number): number {
  const [, number = "", unit = ""] = SIZE.exec(text) ?? []
  const value = number === "" ? Number.NaN : Number(number)
  if (Number.isNaN(value)) throw invalid(`invalid size: '${text}'`)
  return Math.floor(value * base ** " kmgtp".indexOf(unit.toLowerCase() || " "))
}

const TRUE = new Set(["1", "t", "T", "true", "TRUE", "True"])
const FALSE = new Set(["0", "f", "F", "false", "FALSE", "False"])

export function parseBool(text: string): boolean {
  if (TRUE.has(text)) return true
  if (FALSE.has(text)) return false
  throw invalid(`strconv.ParseBool: parsing ${JSON.stringify(text)}: invalid syntax`)
}

export function parseInteger(text: string): number {
  if (!/^[+-]?\d{1,15}$/.test(text)) throw invalid(`strconv.Atoi: parsing ${JSON.stringify(text)}: invalid syntax`)
  return Number(text)
}

/** Milliseconds of a Go duration. */
export function parseSpanOf(text: string): number {
  const milliseconds = parseDuration(text)
  if (milliseconds === undefined) throw invalid(`time: invalid duration ${JSON.stringify(text)}`)
  return milliseconds
}

export function invalid(message: string): DhowError {
  return new DhowError("invalid", message)
}
