// PAX records (POSIX pax "extended header"): "LENGTH KEY=VALUE\n", where LENGTH counts the whole record. Values stay
// bytes, since extended attributes hold any.
import { DhowError } from "../errors.ts"
import { decodeName, encodeName } from "./names.ts"

export type PaxRecord = readonly [key: string, value: Uint8Array]

const EQUALS = 0x3d
const SPACE = 0x20
const NEWLINE = 0x0a

export function* parsePax(bytes: Uint8Array): Generator<PaxRecord> {
  for (let at = 0; at < bytes.length; ) {
    // Some writers pad with NULs instead of stopping.
    if (bytes[at] === 0) return
    let length = 0
    let cursor = at
    for (; cursor < bytes.length && bytes[cursor] !== SPACE; cursor++) {
      const digit = bytes[cursor]! - 0x30
      if (digit < 0 || digit > 9 || length > bytes.length) throw badRecord(at)
      length = length * 10 + digit
    }
    const end = at + length
    const equals = bytes.indexOf(EQUALS, cursor + 1)
    if (length === 0 || end > bytes.length || bytes[end - 1] !== NEWLINE || equals < 0 || equals >= end - 1)
      throw badRecord(at)
    yield [decodeName(bytes.subarray(cursor + 1, equals)), bytes.slice(equals + 1, end - 1)]
    at = end
  }
}

export function formatPax(records: Iterable<readonly [string, string | Uint8Array]>): Buffer {
  const parts: Uint8Array[] = []
  for (const [key, value] of records) {
    const body = Buffer.concat([encodeName(` ${key}=`), typeof value === "string" ? encodeName(value) : value])
    // The length counts its own digits, which may be one more because of them.
    let length = body.length + 1
    for (let digits = 0; digits !== String(length).length; ) {
      digits = String(length).length
      length = body.length + 1 + digits
    }
    parts.push(Buffer.from(String(length)), body, Buffer.of(NEWLINE))
  }
  return Buffer.concat(parts)
}

/** Seconds and nanoseconds of a PAX time such as "-1.5", rounded down beyond nanoseconds. */
export function parsePaxTime(value: string): { readonly seconds: number; readonly nanoseconds: number } {
  const match = /^(-?)(\d{1,15})(?:\.(\d*))?$/.exec(value)
  if (match === null) throw new DhowError("invalid", `Tar archive has a bad time "${value.slice(0, 40)}"`)
  const seconds = Number(match[2])
  const nanoseconds = Number((match[3] ?? "").slice(0, 9).padEnd(9, "0"))
  if (match[1] === "") return { seconds, nanoseconds }
  if (nanoseconds === 0) return { seconds: seconds === 0 ? 0 : -seconds, nanoseconds }
  return { seconds: -seconds - 1, nanoseconds: 1e9 - nanoseconds }
}

export function formatPaxTime(seconds: number, nanoseconds: number): string {
  if (nanoseconds === 0) return String(seconds)
  const negative = seconds < 0
  const whole = negative ? -seconds - 1 : seconds
  const fraction = String(negative ? 1e9 - nanoseconds : nanoseconds)
    .padStart(9, "0")
    .replace(/0+$/, "")
  return `${negative ? "-" : ""}${whole}.${fraction}`
}

function badRecord(offset: number): DhowError {
  return new DhowError("invalid", `Tar archive has a bad PAX record at byte ${offset} of its extended header`)
}
