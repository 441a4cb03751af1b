// Durations in Go's notation: "1h30m", "1.5s", "300ms". Values are nanoseconds, as the API has them.

const UNITS: Readonly<Record<string, number>> = {
  ns: 1,
  us: 1e3,
  µs: 1e3,
  μs: 1e3,
  ms: 1e6,
  s: 1e9,
  m: 60e9,
  h: 3600e9,
}

export function parseDuration(text: string): number {
  const quoted = JSON.stringify(text)
  const match = /^([+-]?)(.*)$/.exec(text)!
  const rest = match[2]!
  if (rest === "0") return 0
  if (rest === "") throw new Error(`time: invalid duration ${quoted}`)
  let total = 0
  let at = 0
  const part = /(\d+(?:\.\d*)?|\.\d+)([^\d.]*)/y
  while (at < rest.length) {
    part.lastIndex = at
    const found = part.exec(rest)
    if (found === null) throw new Error(`time: invalid duration ${quoted}`)
    if (found[2] === "") throw new Error(`time: missing unit in duration ${quoted}`)
    const unit = UNITS[found[2]!]
    if (unit === undefined) throw new Error(`time: unknown unit ${JSON.stringify(found[2])} in duration ${quoted}`)
    total += Number(found[1]) * unit
    at = part.lastIndex
  }
  return Math.round(match[1] === "-" ? -total : total)
}
