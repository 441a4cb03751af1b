// What the host's own networking occupies: routes, interface addresses and name servers.
import { readIfExists } from "../lib/files.ts"
import { type Prefix, prefixOf } from "../lib/ip-address.ts"
import type { NetlinkSocket } from "../lib/netlink.ts"
import { linkIndex, linkMtu, listAddresses } from "./link.ts"
import { parseAddress, parseCidr, type Subnet } from "./subnet.ts"

/** Subnets a new bridge must not overlap. `except` is an interface of our own. */
export function occupiedSubnets(host: NetlinkSocket, except: string): Subnet[] {
  const found = parseRoutes(readIfExists("/proc/net/route") ?? "", except)
  const own = linkIndex(host, except)
  for (const { index, address, prefixLength } of listAddresses(host))
    if (index !== own && !address.includes(":")) found.push(parseCidr(`${address}/${prefixLength}`).subnet)
  for (const line of (readIfExists("/etc/resolv.conf") ?? "").split("\n")) {
    const server = /^\s*nameserver\s+(\d+\.\d+\.\d+\.\d+)\s*$/.exec(line)?.[1]
    if (server !== undefined) found.push({ base: parseAddress(server), prefixLength: 32 })
  }
  return found
}

/** Of both families: what a network of any name should keep clear of. */
export function occupiedPrefixes(host: NetlinkSocket): Prefix[] {
  const four = occupiedSubnets(host, "").map(
    ({ base, prefixLength }): Prefix => ({ family: 4, base: BigInt(base), length: prefixLength }),
  )
  return [...four, ...parseIpv6Routes(readIfExists("/proc/net/ipv6_route") ?? "")]
}

/** Destinations of /proc/net/ipv6_route but the default route and what every host has: link-local, multicast, loopback. */
export function parseIpv6Routes(table: string): Prefix[] {
  return table.split("\n").flatMap((line): Prefix[] => {
    const [, hex = "", bits = ""] = /^([0-9a-f]{32}) ([0-9a-f]{2}) /.exec(line) ?? []
    const length = Number.parseInt(bits, 16)
    if (hex === "" || length === 0 || /^(?:fe[89ab]|ff|0{31}1$)/.test(hex)) return []
    return [prefixOf({ family: 6, value: BigInt(`0x${hex}`) }, length)]
  })
}

/** Destinations of /proc/net/route except the default route: hexadecimal in the machine's (little-endian) order. */
export function parseRoutes(table: string, except: string): Subnet[] {
  const found: Subnet[] = []
  for (const line of table.split("\n").slice(1)) {
    const [name = "", destination, , , , , , netmask] = line.split("\t")
    if (name.trim() === except || destination === undefined || netmask === undefined) continue
    const bits = littleEndian(netmask)
    if (bits !== 0) found.push({ base: littleEndian(destination), prefixLength: 32 - Math.log2(2 ** 32 - bits) })
  }
  return found
}

/** The interface of the default route with the lowest metric, or undefined without one. */
export function defaultInterface(table: string = readIfExists("/proc/net/route") ?? ""): string | undefined {
  const defaults = table
    .split("\n")
    .slice(1)
    .map((line) => line.split("\t"))
    .filter((fields) => fields[1] === "00000000" && fields[7] === "00000000")
  defaults.sort((a, b) => Number(a[6]) - Number(b[6]))
  return defaults[0]?.[0]?.trim()
}

/** The default route's MTU where it is below Ethernet's: larger packets would only be refused further on. */
export function hostMtu(host: NetlinkSocket): number {
  const name = defaultInterface()
  const mtu = name === undefined ? undefined : linkMtu(host, name)
  return mtu !== undefined && mtu >= 576 && mtu < 1500 ? mtu : 1500
}

function littleEndian(hex: string): number {
  return Buffer.from(hex, "hex").readUInt32LE(0)
}
