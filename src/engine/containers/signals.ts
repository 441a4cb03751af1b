// Signals as users name them.
import { constants } from "node:os"
import { DhowError } from "../../lib/errors.ts"

/** The number of "KILL", "SIGKILL" or "9". */
export function parseSignal(text: string): number {
  const upper = text.toUpperCase()
  if (/^\d+$/.test(text)) {
    const number = Number(text)
    if ((number >= 1 && number <= 31) || (number >= 34 && number <= 64)) return number
    if (number > 0) throw new DhowError("invalid", `the linux daemon does not support signal ${number}`)
  }
  const name = upper.startsWith("SIG") ? upper : `SIG${upper}`
  const number = (constants.signals as Readonly<Record<string, number>>)[name] ?? realtimeSignal(name)
  if (number === undefined) throw new DhowError("invalid", `invalid signal: ${text}`)
  return number
}

function realtimeSignal(name: string): number | undefined {
  const match = /^SIGRTM(IN|AX)(?:([+-])(\d+))?$/.exec(name)
  if (match === null) return undefined
  const offset = Number(match[3] ?? 0) * (match[2] === "-" ? -1 : 1)
  const number = (match[1] === "IN" ? 34 : 64) + offset
  return number >= 34 && number <= 64 ? number : undefined
}
