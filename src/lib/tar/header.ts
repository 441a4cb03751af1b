// One 512-byte tar header: POSIX ustar, the older v7 form and GNU's. Pure: bytes in, fields out, checksum verified.
import { DhowError } from "../errors.ts"
import { decodeName } from "./names.ts"

export type RawHeader = {
  readonly name: string
  readonly mode: number
  readonly uid: number
  readonly gid: number
  readonly size: number
  readonly mtime: number
  readonly flag: string
  readonly linkName: string
  readonly devMajor: number
  readonly devMinor: number
}

/** The header in `block`, or undefined for a block of zeros, which ends an archive. */
export function parseHeader(block: Uint8Array): RawHeader | undefined {
  if (!checksumMatches(block)) {
    if (block.every((byte) => byte === 0)) return undefined
    throw new DhowError("invalid", "Tar header has a wrong checksum", {
      hint: "The file is damaged, or is not a tar archive",
    })
  }
  const magic = latin1(block, 257, 8)
  const ustar = magic === "ustar\x0000"
  const gnu = magic === "ustar  \0"
  const name = text(block, 0, 100)
  const prefix = ustar ? text(block, 345, 155) : ""
  const flag = String.fromCharCode(block[156]!)
  const device = (ustar || gnu) && (flag === "3" || flag === "4")
  return {
    name: prefix === "" ? name : `${prefix}/${name}`,
    mode: number(block, 100, 8, "mode") & 0o7777,
    uid: number(block, 108, 8, "uid"),
    gid: number(block, 116, 8, "gid"),
    size: size(block, 124),
    mtime: number(block, 136, 12, "mtime"),
    flag,
    linkName: text(block, 157, 100),
    devMajor: device ? number(block, 329, 8, "device major") : 0,
    devMinor: device ? number(block, 337, 8, "device minor") : 0,
  }
}

/** A 12-byte size or offset field; never negative. */
export function size(block: Uint8Array, offset: number): number {
  const value = number(block, offset, 12, "size")
  if (value < 0) throw new DhowError("invalid", `Tar header has a negative size ${value}`)
  return value
}

/** Sum of all bytes with the checksum field taken as spaces; old writers summed signed bytes. */
function checksumMatches(block: Uint8Array): boolean {
  let unsigned = 8 * 32
  let high = 0
  for (let at = 0; at < 512; at++) {
    if (at === 148) at = 156
    const byte = block[at]!
    unsigned += byte
    if (byte > 127) high++
  }
  const stored = octal(block, 148, 8)
  return stored === unsigned || stored === unsigned - 256 * high
}

function number(block: Uint8Array, offset: number, length: number, field: string): number {
  const value = block[offset]! & 0x80 ? base256(block, offset, length) : octal(block, offset, length)
  if (value === undefined || !Number.isSafeInteger(value))
    throw new DhowError("invalid", `Tar header has a bad ${field} "${printable(latin1(block, offset, length))}"`)
  return value
}

/** GNU's big-endian two's complement: the first bit marks the form, the second is the sign. */
function base256(block: Uint8Array, offset: number, length: number): number {
  const negative = (block[offset]! & 0x40) !== 0
  let value = BigInt(block[offset]! & 0x3f) - (negative ? 0x40n : 0n)
  for (let at = 1; at < length; at++) value = value * 256n + BigInt(block[offset + at]!)
  return Number(value)
}

function octal(block: Uint8Array, offset: number, length: number): number | undefined {
  let at = offset
  const end = offset + length
  while (at < end && (block[at] === 0x20 || block[at] === 0)) at++
  let value = 0
  for (; at < end && block[at] !== 0x20 && block[at] !== 0; at++) {
    const digit = block[at]! - 0x30
    if (digit < 0 || digit > 7) return undefined
    value = value * 8 + digit
  }
  return value
}

/** A NUL-terminated text field. */
export function text(block: Uint8Array, offset: number, length: number): string {
  let end = offset
  while (end < offset + length && block[end] !== 0) end++
  return end === offset ? "" : decodeName(block.subarray(offset, end))
}

export function latin1(block: Uint8Array, offset: number, length: number): string {
  return Buffer.from(block.buffer, block.byteOffset + offset, length).toString("latin1")
}

function printable(value: string): string {
  return value.replace(/[^\x20-\x7e]/g, ".")
}
