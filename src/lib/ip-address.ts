// IP addresses and prefixes of both families as numbers, and back as text (RFC 4291 in, RFC 5952 out). Pure.
import { isIPv4, isIPv6 } from "node:net"

export type Family = 4 | 6
export type Address = { readonly family: Family; readonly value: bigint }
/** All addresses that begin with the same `length` bits; the other bits of `base` are zero. */
export type Prefix = { readonly family: Family; readonly base: bigint; readonly length: number }

const BITS = { 4: 32, 6: 128 } as const
const GROUPS = 8
const GROUP_BITS = 16n

/** Undefined where the text is no address; "fe80::1%eth0" is none. */
export function parseIp(text: string): Address | undefined {
  if (isIPv4(text)) return { family: 4, value: fromIpv4(text) }
  if (!isIPv6(text) || text.includes("%")) return undefined
  const value = fromIpv6(text)
  // Go and the kernel take an address mapped into IPv6 for the IPv4 address that it is.
  return value >> 32n === 0xffffn ? { family: 4, value: value & 0xffffffffn } : { family: 6, value }
}

export function formatIp({ family, value }: Address): string {
  if (family === 4) return [24n, 16n, 8n, 0n].map((shift) => (value >> shift) & 0xffn).join(".")
  const groups = Array.from({ length: GROUPS }, (_, index) =>
    ((value >> (BigInt(GROUPS - 1 - index) * GROUP_BITS)) & 0xffffn).toString(16),
  )
  const { start, length } = longestZeros(groups)
  if (length < 2) return groups.join(":")
  return `${groups.slice(0, start).join(":")}::${groups.slice(start + length).join(":")}`
}

/** "172.17.0.1/16": the address and the prefix it lies in. Undefined where the text is something else. */
export function parsePrefix(text: string): { readonly address: Address; readonly prefix: Prefix } | undefined {
  const [, ip = "", digits = ""] = /^(.+)\/(0|[1-9]\d{0,2})$/.exec(text) ?? []
  const address = parseIp(ip)
  const length = Number(digits)
  if (address === undefined || length > BITS[address.family]) return undefined
  return { address, prefix: prefixOf(address, length) }
}

export function prefixOf({ family, value }: Address, length: number): Prefix {
  const hostBits = BigInt(BITS[family] - length)
  return { family, base: (value >> hostBits) << hostBits, length }
}

export function formatPrefix({ family, base, length }: Prefix): string {
  return `${formatIp({ family, value: base })}/${length}`
}

/** How many addresses it has. */
export function sizeOf({ family, length }: Prefix): bigint {
  return 1n << BigInt(BITS[family] - length)
}

export function lastOf(prefix: Prefix): bigint {
  return prefix.base + sizeOf(prefix) - 1n
}

export function contains(prefix: Prefix, { family, value }: Address): boolean {
  return family === prefix.family && value >= prefix.base && value <= lastOf(prefix)
}

export function overlaps(a: Prefix, b: Prefix): boolean {
  return contains(a, { family: b.family, value: b.base }) || contains(b, { family: a.family, value: a.base })
}

/** In network order: 4 bytes or 16. */
export function bytesOf({ family, value }: Address): Uint8Array {
  const length = BITS[family] / 8
  return Uint8Array.from({ length }, (_, index) => Number((value >> BigInt((length - 1 - index) * 8)) & 0xffn))
}

/** A locally administered MAC made from the address, so that an address always comes with the same MAC. */
export function macOf(address: Address): string {
  const bytes = [2, 0x42, ...bytesOf(address).slice(-4)]
  return bytes.map((byte) => byte.toString(16).padStart(2, "0")).join(":")
}

function fromIpv4(text: string): bigint {
  return text.split(".").reduce((value, part) => (value << 8n) | BigInt(part), 0n)
}

function fromIpv6(text: string): bigint {
  const [head = "", tail] = text.split("::")
  const left = groupsOf(head)
  const right = tail === undefined ? [] : groupsOf(tail)
  const zeros = Array.from({ length: GROUPS - left.length - right.length }, () => 0n)
  return [...left, ...zeros, ...right].reduce((value, group) => (value << GROUP_BITS) | group, 0n)
}

/** The last group may be an IPv4 address: two groups. */
function groupsOf(text: string): bigint[] {
  if (text === "") return []
  return text.split(":").flatMap((group) => {
    if (!group.includes(".")) return [BigInt(`0x${group}`)]
    const value = fromIpv4(group)
    return [value >> GROUP_BITS, value & 0xffffn]
  })
}

function longestZeros(groups: readonly string[]): { readonly start: number; readonly length: number } {
  let best = { start: 0, length: 0 }
  for (let start = 0; start < groups.length; start++) {
    let length = 0
    while (groups[start + length] === "0") length++
    if (length > best.length) best = { start, length }
  }
  return best
}
