// A container's place on a network before there is an interface for it: its addresses, its MAC, its gateway; and which of
// several networks leads out. The rows of addresses are written here.
import { randomBytes } from "node:crypto"
import { DhowError } from "../lib/errors.ts"
import { contains, type Family, formatIp, macOf, parseIp, parsePrefix } from "../lib/ip-address.ts"
import type { EndpointSettings } from "../wire/container.ts"
import { DEFAULT_GATEWAY_KEY, usable } from "./ipam/subnets.ts"
import type { EndpointRecord, NamespaceRecord, Network, NetworkSubnet } from "./record.ts"
import type { Place, Tables } from "./tables.ts"

/** What is wanted of a network. */
export type EndpointWish = {
  readonly network: Network
  /** As the user asked; what the engine writes into such settings is not looked at. */
  readonly settings: EndpointSettings
  /** All names under which the others of the network find it. */
  readonly dnsNames?: readonly string[]
  /** The address that it had until now: it gets this one again unless somebody else has it meanwhile. */
  readonly address?: string | undefined
}

/** The addresses of one endpoint, taken for the namespace `key`. Throws where they cannot be had; takes none then. */
export function takeEndpoint(tables: Tables, wish: EndpointWish, key: string): EndpointSettings {
  const { network, settings } = wish
  const { IPv4Address, IPv6Address } = settings.IPAMConfig ?? {}
  try {
    const four = takeFamily(tables, 4, { wish, key, asked: IPv4Address })
    const six = takeFamily(tables, 6, { wish, key, asked: IPv6Address })
    const first = parseIp(four?.address ?? six?.address ?? "")
    return {
      IPAMConfig: settings.IPAMConfig ?? null,
      Links: settings.Links ?? null,
      Aliases: settings.Aliases ?? null,
      MacAddress: settings.MacAddress?.toLowerCase().replaceAll("-", ":") || (first ? macOf(first) : randomMac()),
      DriverOpts: settings.DriverOpts ?? null,
      GwPriority: settings.GwPriority ?? 0,
      NetworkID: network.id,
      EndpointID: randomBytes(32).toString("hex"),
      Gateway: four?.gateway ?? "",
      IPAddress: four?.address ?? "",
      IPPrefixLen: four?.length ?? 0,
      IPv6Gateway: six?.gateway ?? "",
      GlobalIPv6Address: six?.address ?? "",
      GlobalIPv6PrefixLen: six?.length ?? 0,
      DNSNames: wish.dnsNames === undefined ? null : [...wish.dnsNames],
    }
  } catch (error) {
    tables.releaseAddresses(network.id, key)
    throw error
  }
}

type Taken = { readonly address: string; readonly length: number; readonly gateway: string }

function takeFamily(
  tables: Tables,
  family: Family,
  options: {
    readonly wish: EndpointWish
    readonly key: string
    readonly asked: string | undefined
  },
): Taken | undefined {
  const { wish, key, asked } = options
  const { network } = wish
  const subnets = network.record.subnets.flatMap((subnet) => {
    const prefix = parsePrefix(subnet.subnet)?.prefix
    return prefix?.family === family ? [{ subnet, prefix }] : []
  })
  const [first] = subnets
  if (first === undefined) {
    if (asked) throw outOfRange(asked, network)
    return undefined
  }
  const kept = new Set(subnets.flatMap(({ subnet }) => [subnet.gateway, ...Object.values(subnet.auxiliary ?? {})]))
  const claim = (text: string): Taken | "outside" | "taken" => {
    const address = parseIp(text)
    const home = subnets.find(({ prefix }) => address !== undefined && contains(prefix, address))
    if (address === undefined || home === undefined) return "outside"
    const canonical = formatIp(address)
    if (kept.has(canonical) || !tables.claimAddress(network, canonical, key)) return "taken"
    return { address: canonical, length: home.prefix.length, gateway: gatewayOf(home.subnet, family) }
  }
  if (asked) {
    const claimed = claim(asked)
    if (claimed === "outside") throw outOfRange(asked, network)
    if (claimed === "taken") throw new DhowError("forbidden", "Address already in use", { hint: holderHint(asked) })
    return claimed
  }
  const before = wish.address === undefined ? "outside" : claim(wish.address)
  if (typeof before === "object") return before
  return takeNext(
    tables,
    subnets.map(({ subnet }) => subnet),
    { network, family, kept, key },
  )
}

/** From the first subnet that has an address left. */
function takeNext(
  tables: Tables,
  subnets: readonly NetworkSubnet[],
  { network, family, kept, key }: { network: Network; family: Family; kept: ReadonlySet<string>; key: string },
): Taken {
  let failure: unknown
  for (const subnet of subnets) {
    const place = placeOf(subnet)
    if (place === undefined) continue
    try {
      const address = tables.takeAddress(network, place, kept, key)
      return { address, length: place.subnet.length, gateway: gatewayOf(subnet, family) }
    } catch (error) {
      failure ??= error
    }
  }
  throw failure
}

function placeOf({ subnet, ipRange }: NetworkSubnet): Place | undefined {
  const prefix = parsePrefix(subnet)?.prefix
  if (prefix === undefined) return undefined
  const range = ipRange === undefined ? prefix : (parsePrefix(ipRange)?.prefix ?? prefix)
  return { subnet: prefix, ...usable(prefix, range) }
}

function gatewayOf(subnet: NetworkSubnet, family: Family): string {
  return subnet.auxiliary?.[DEFAULT_GATEWAY_KEY[family]] ?? subnet.gateway
}

function outOfRange(asked: string, { name }: Network): DhowError {
  return new DhowError(
    "invalid",
    `invalid config for network ${name}: invalid endpoint settings:\nno configured subnet contains IP address ${asked}`,
  )
}

const holderHint = (address: string): string => `Another container has ${address}, or the network itself`

function randomMac(): string {
  const bytes = randomBytes(6)
  bytes[0] = ((bytes[0] ?? 0) & 0xfc) | 2
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join(":")
}

type Candidate = { readonly network: Network; readonly settings: EndpointSettings }

/**
 * Docker's order of a container's networks: by priority, those that lead out before internal ones, those with gateways of
 * both families first, by name. It is the order of the interfaces at a start, and the first with a gateway leads out.
 */
export function inOrder<T extends Candidate>(endpoints: readonly T[]): T[] {
  const rank = ({ network, settings }: Candidate): readonly [number, number, number] => [
    -(settings.GwPriority ?? 0),
    network.record.internal ? 1 : 0,
    -(["4", "6"] as const).filter((family) => hasGateway(network, family === "4" ? 4 : 6)).length,
  ]
  return [...endpoints].sort((a, b) => {
    const [left, right] = [rank(a), rank(b)]
    const different = left.findIndex((value, index) => value !== right[index])
    if (different >= 0) return (left[different] ?? 0) - (right[different] ?? 0)
    return a.network.name < b.network.name ? -1 : 1
  })
}

/** The networks by which packets of each family leave. */
export type Gateways = { readonly 4?: string; readonly 6?: string }

/** In rows of old the first endpoint's network leads out. */
export function gatewaysOf({ gateways, endpoints }: Pick<NamespaceRecord, "gateways" | "endpoints">): Gateways {
  const [first] = endpoints
  return gateways ?? (first === undefined ? {} : { 4: first.network })
}

export function chooseGateways(endpoints: readonly Candidate[]): Gateways {
  const first = (family: Family): string | undefined =>
    inOrder(endpoints).find(({ network }) => hasGateway(network, family))?.network.id
  const [four, six] = [first(4), first(6)]
  return { ...(four === undefined ? {} : { 4: four }), ...(six === undefined ? {} : { 6: six }) }
}

function hasGateway({ record }: Network, family: Family): boolean {
  if (record.internal || record.options[`com.docker.network.bridge.gateway_mode_ipv${family}`] === "isolated")
    return false
  return record.subnets.some(
    (subnet) => parsePrefix(subnet.subnet)?.prefix.family === family && gatewayOf(subnet, family) !== "",
  )
}

/** Where a default route of the family leads through this endpoint; undefined where it does not. */
export function wayOut(
  { network, settings }: Pick<EndpointRecord, "network" | "settings">,
  gateways: Gateways,
  family: Family,
): string | undefined {
  if (gateways[family] !== network) return undefined
  return (family === 4 ? settings.Gateway : settings.IPv6Gateway) || undefined
}
