// What the networks of a container answer by themselves: names and addresses of the containers on them, by Docker's rules.
import { isIPv6 } from "node:net"
import type { Endpoint, Names, Namespace } from "./names.ts"
import { TYPE, writeName } from "./packet.ts"

export type Family = 4 | 6

export type Found = {
  readonly network: string
  readonly holders: readonly Endpoint[]
  /** Of both families. */
  readonly addresses: readonly string[]
}

/**
 * Finds a name, in lower case and without its last dot. `a.b.c` is looked for as such on every network of the container,
 * then as `a.b` on network `c`, then as `a` on network `b.c`. A link goes before a name of the network.
 */
export function findName(names: Names, { endpoints }: Namespace, name: string): Found | undefined {
  for (let dot = name.length; dot > 0; dot = name.lastIndexOf(".", dot - 1)) {
    const wanted = name.slice(0, dot)
    const network = name.slice(dot + 1)
    const candidates = endpoints.filter(
      (endpoint) => endpoint.names.length > 0 && (network === "" || endpoint.networkName.toLowerCase() === network),
    )
    for (const endpoint of candidates) {
      const linked = endpoint.links.get(wanted)
      const found = linked === undefined ? undefined : toFound(endpoint, names.holders(endpoint.network, linked))
      if (found !== undefined) return found
    }
    for (const endpoint of candidates) {
      const found = endpoint.links.has(wanted) ? undefined : toFound(endpoint, names.holders(endpoint.network, wanted))
      if (found !== undefined) return found
    }
  }
  return undefined
}

function toFound({ networkName }: Endpoint, holders: readonly Endpoint[]): Found | undefined {
  if (holders.length === 0) return undefined
  const addresses = [...new Set(holders.flatMap((holder) => holder.addresses))]
  return { network: networkName, holders, addresses }
}

/** The full name of who has the address that a name under in-addr.arpa or ip6.arpa stands for. */
export function findAddress(names: Names, { endpoints }: Namespace, name: string): Endpoint | undefined {
  const address = readReverse(name)
  if (address === undefined) return undefined
  const networks = endpoints.filter((endpoint) => endpoint.names.length > 0).map(({ network }) => network)
  return names.byAddress(networks, address)
}

export function fullName({ names, container, networkName }: Endpoint): string {
  return `${names[0] ?? container}.${networkName}`
}

/** The address in the form that rows have. */
export function readReverse(name: string): string | undefined {
  const four = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.in-addr\.arpa$/.exec(name)
  if (four !== null) return four.slice(1).reverse().map(Number).join(".")
  const six = /^((?:[0-9a-f]\.){32})ip6\.arpa$/.exec(name)
  if (six?.[1] === undefined) return undefined
  const digits = six[1].replaceAll(".", "").split("").reverse().join("")
  return canonicalIpv6(digits.match(/.{4}/g)?.join(":") ?? "")
}

export function canonicalIpv6(text: string): string {
  return new URL(`http://[${text}]/`).hostname.slice(1, -1)
}

export function addressesOf(found: Found, family: Family): string[] {
  return found.addresses.filter((address) => isIPv6(address) === (family === 6))
}

export function addressData(address: string): Uint8Array {
  if (!isIPv6(address)) return Uint8Array.from(address.split("."), Number)
  const [head = "", tail] = canonicalIpv6(address).split("::")
  const groups = (text: string | undefined): string[] => (text ? text.split(":") : [])
  const [before, after] = [groups(head), groups(tail)]
  const zeros = Array.from({ length: 8 - before.length - after.length }, () => "0")
  const bytes = Buffer.alloc(16)
  for (const [index, group] of [...before, ...zeros, ...after].entries())
    bytes.writeUInt16BE(Number.parseInt(group, 16), index * 2)
  return bytes
}

export function nameData(name: string): Uint8Array | undefined {
  return writeName(name)
}

export const FAMILY_OF: ReadonlyMap<number, Family> = new Map([
  [TYPE.A, 4],
  [TYPE.AAAA, 6],
])
