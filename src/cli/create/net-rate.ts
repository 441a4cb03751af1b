// Traffic limits as users write them: bits with a bit suffix ("10mbit": decimal units), bytes otherwise ("5m": binary ones).

import { parseBytes } from "../../lib/size.ts"
import type { NetRate } from "../../wire/container.ts"

const BITS: Readonly<Record<string, number>> = { "": 1, k: 1e3, m: 1e6, g: 1e9, t: 1e12 }
const UNITS = ["t", "g", "m", "k"] as const

/** "10mbit", "in=100mbit,out=10mbit", "in=5m"; 0 is none. */
export function parseNetRate(text: string): NetRate {
  if (!text.includes("=")) {
    const rate = parseRate(text)
    return { In: rate, Out: rate }
  }
  const rate: NetRate = {}
  for (const part of text.split(",")) {
    const [, way, value = ""] = /^(in|out)=(.*)$/.exec(part) ?? []
    const name = way === "in" ? "In" : "Out"
    if (way === undefined || rate[name] !== undefined) throw invalid(text)
    rate[name] = parseRate(value)
  }
  return { In: 0, Out: 0, ...rate }
}

/** Bytes per second. */
function parseRate(text: string): number {
  const [, number, unit] = /^(\d+(?:\.\d+)?)([kmgt]?)bits?(?:\/s)?$/i.exec(text) ?? []
  if (number !== undefined) return Math.floor(Math.round(Number(number) * BITS[unit!.toLowerCase()]!) / 8)
  try {
    return parseBytes(text.replace(/\/s$/, ""))
  } catch {
    throw invalid(text)
  }
}

function invalid(text: string): Error {
  return new Error(`invalid traffic limit "${text}": expected 10mbit, 5m (bytes), or in=100mbit,out=10mbit`)
}

/** "10mbit"; exact. */
export function rateText(rate: number): string {
  const bits = rate * 8
  const unit = UNITS.find((name) => bits >= BITS[name]! && bits % (BITS[name]! / 1000) === 0)
  return unit === undefined ? `${bits}bit` : `${bits / BITS[unit]!}${unit}bit`
}

/** As the flag takes it; "" for none. */
export function netRateText({ In = 0, Out = 0 }: NetRate): string {
  if (In === 0 && Out === 0) return ""
  if (In === Out) return rateText(In)
  return [In === 0 ? "" : `in=${rateText(In)}`, Out === 0 ? "" : `out=${rateText(Out)}`].filter(Boolean).join(",")
}
