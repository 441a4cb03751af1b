// Sizes and times as people read them, in docker's wording: "12.3MB", "3 hours ago".
import { humanDuration } from "../../lib/human-duration.ts"

const DECIMAL = ["B", "kB", "MB", "GB", "TB", "PB", "EB", "ZB", "YB"]
const BINARY = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB", "ZiB", "YiB"]

/** Go's %.<digits>g for the magnitudes that occur here. */
function significant(value: number, digits: number): string {
  if (value === 0) return "0"
  const rounded = Number(value.toPrecision(digits))
  const exponent = Math.floor(Math.log10(Math.abs(rounded)))
  if (exponent < -4 || exponent >= digits) {
    const [mantissa, power] = rounded.toExponential().split("e") as [string, string]
    return `${mantissa}e${power[0]}${power.slice(1).padStart(2, "0")}`
  }
  return String(rounded)
}

function scaled(size: number, base: number, units: readonly string[]): [number, string] {
  let value = size
  let unit = 0
  while (value >= base && unit < units.length - 1) {
    value /= base
    unit++
  }
  return [value, units[unit]!]
}

export function humanSize(bytes: number, digits = 4): string {
  const [value, unit] = scaled(bytes, 1000, DECIMAL)
  return `${significant(value, digits)}${unit}`
}

export function binarySize(bytes: number, digits = 4): string {
  const [value, unit] = scaled(bytes, 1024, BINARY)
  return `${significant(value, digits)}${unit}`
}

export function timeAgo(unixSeconds: number, now = Date.now()): string {
  return `${humanDuration(now / 1000 - unixSeconds)} ago`
}

/** Go's default form of a time: "2024-05-01 12:00:00 +0000 UTC". */
export function formatTime(unixSeconds: number): string {
  const date = new Date(unixSeconds * 1000)
  const offset = -date.getTimezoneOffset()
  const two = (value: number): string => String(value).padStart(2, "0")
  const local = new Date(date.getTime() + offset * 60_000).toISOString()
  const sign = offset < 0 ? "-" : "+"
  const zone = `${sign}${two(Math.trunc(Math.abs(offset) / 60))}${two(Math.abs(offset) % 60)}`
  const name = offset === 0 ? "UTC" : (zoneName(date) ?? zone)
  return `${local.slice(0, 10)} ${local.slice(11, 19)} ${zone} ${name}`
}

function zoneName(date: Date): string | undefined {
  return /\(([A-Z]{2,5})\)/.exec(date.toString())?.[1]
}

/** Cuts to a width, with an ellipsis for what is missing. */
export function ellipsis(text: string, width: number): string {
  const characters = [...text]
  return characters.length <= width ? text : `${characters.slice(0, width - 1).join("")}…`
}

export function shortId(id: string): string {
  return id.replace(/^sha256:/, "").slice(0, 12)
}
