// Sizes as users write them: "512m", "1.5GiB", "64k": binary units, the last "b" or "ib" optional.

const UNITS: Readonly<Record<string, number>> = { k: 1, m: 2, g: 3, t: 4, p: 5 }

export function parseBytes(text: string): number {
  const match = /^(.*[0-9. ])?([^0-9. ]*)$/s.exec(text)
  if (match?.[1] === undefined) throw new Error(`invalid size: '${text}'`)
  const digits = match[1].endsWith(" ") ? match[1].slice(0, -1) : match[1]
  if (!/^[+-]?(?:\d+\.?\d*|\.\d+)$/.test(digits))
    throw new Error(`strconv.ParseFloat: parsing ${JSON.stringify(digits)}: invalid syntax`)
  const number = Number(digits)
  if (number < 0) throw new Error(`invalid size: '${text}'`)
  const suffix = match[2]!.toLowerCase()
  if (suffix === "" || suffix === "b") return Math.trunc(number)
  const unit = /^([kmgtp])(?:i?b)?$/.exec(suffix)
  if (unit === null) throw new Error(`invalid suffix: '${suffix}'`)
  return Math.trunc(number * 1024 ** UNITS[unit[1]!]!)
}

/** Memory plus swap: a size, or -1 for no limit. */
export function parseMemorySwap(text: string): number {
  return text === "-1" ? -1 : parseBytes(text)
}

/** CPUs as a decimal ("1.5") to billionths; more precision than that is refused. */
export function parseCpus(text: string): number {
  const decimal = /^([+-]?)(\d*)(?:\.(\d*))?$/.exec(text)
  if (decimal === null || `${decimal[2]}${decimal[3] ?? ""}` === "")
    throw new Error(`failed to parse ${text} as a rational number`)
  const fraction = (decimal[3] ?? "").replace(/0+$/, "")
  if (fraction.length > 9) throw new Error("value is too precise")
  const nano = Number(decimal[2] || "0") * 1e9 + Number(fraction.padEnd(9, "0"))
  return decimal[1] === "-" ? -nano : nano
}

/** A `check` for flags: the text stays as it is if the parser takes it. */
export function checkedBy(parse: (text: string) => unknown): (text: string) => string {
  return (text) => {
    parse(text)
    return text
  }
}
