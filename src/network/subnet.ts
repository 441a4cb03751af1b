// IPv4 subnets as numbers, and the choice of one that collides with nothing on the host. Pure.
import { DhowError } from "../lib/errors.ts"

export type Subnet = { readonly base: number; readonly prefixLength: number }

export function parseAddress(text: string): number {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text)
  const parts = match === null ? [] : match.slice(1).map(Number)
  if (parts.length !== 4 || parts.some((part) => part > 255))
    throw new DhowError("invalid", `"${text}" is not an IPv4 address`)
  return parts.reduce((sum, part) => sum * 256 + part, 0)
}

export function formatAddress(address: number): string {
  return [address >>> 24, (address >>> 16) & 255, (address >>> 8) & 255, address & 255].join(".")
}

/** "172.17.0.1/16": the address and the subnet it lies in. */
export function parseCidr(text: string): { readonly address: number; readonly subnet: Subnet } {
  const [address = "", length = ""] = text.split("/")
  const prefixLength = Number(length)
  if (!/^\d{1,2}$/.test(length) || prefixLength > 32)
    throw new DhowError("invalid", `"${text}" is not an address and prefix length`, {
      hint: 'For instance "10.0.0.1/24"',
    })
  const value = parseAddress(address)
  return { address: value, subnet: { base: (value & mask(prefixLength)) >>> 0, prefixLength } }
}

export function formatSubnet(subnet: Subnet): string {
  return `${formatAddress(subnet.base)}/${subnet.prefixLength}`
}

export function lastOf(subnet: Subnet): number {
  return (subnet.base | ~mask(subnet.prefixLength)) >>> 0
}

export function contains(subnet: Subnet, address: number): boolean {
  return address >= subnet.base && address <= lastOf(subnet)
}

export function overlaps(a: Subnet, b: Subnet): boolean {
  return contains(a, b.base) || contains(b, a.base)
}

/**
 * Docker's order: 172.17.0.0/16 to 172.31.0.0/16, then sixteen of 192.168.0.0 with /20; where other engines or networks
 * have a part of each, what is left between them.
 */
export function* candidateSubnets(): Generator<Subnet> {
  for (let second = 17; second <= 31; second++) yield parseCidr(`172.${second}.0.0/16`).subnet
  for (let third = 0; third < 256; third += 16) yield parseCidr(`192.168.${third}.0/20`).subnet
  for (let second = 31; second >= 17; second--)
    for (let third = 240; third >= 0; third -= 16) yield parseCidr(`172.${second}.${third}.0/20`).subnet
  for (let third = 255; third >= 0; third--) yield parseCidr(`192.168.${third}.0/24`).subnet
}

export function chooseSubnet(occupied: readonly Subnet[]): Subnet {
  for (const candidate of candidateSubnets())
    if (!occupied.some((other) => overlaps(candidate, other))) return candidate
  throw new DhowError(
    "unavailable",
    "Every private subnet that a bridge could have collides with a route of the host",
    {
      hint: 'Name one with the daemon\'s "bip" setting, for instance "10.200.0.1/24"',
    },
  )
}

/** A locally administered MAC made from the address, so that an address always comes with the same MAC. */
export function macOf(address: number): string {
  const bytes = [2, 0x42, address >>> 24, (address >>> 16) & 255, (address >>> 8) & 255, address & 255]
  return bytes.map((byte) => byte.toString(16).padStart(2, "0")).join(":")
}

function mask(prefixLength: number): number {
  return prefixLength === 0 ? 0 : (0xffffffff << (32 - prefixLength)) >>> 0
}
