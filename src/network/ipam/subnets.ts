// What a request for a network says of its subnets, checked with Docker's words and completed: subnets from the pools,
// gateways. Pure.
import { DhowError } from "../../lib/errors.ts"
import {
  type Address,
  contains,
  type Family,
  formatIp,
  formatPrefix,
  lastOf,
  overlaps,
  type Prefix,
  parseIp,
  parsePrefix,
} from "../../lib/ip-address.ts"
import type { NetworkSubnet } from "../record.ts"
import { type AddressPool, choosePool } from "./pools.ts"

export type SubnetRequest = {
  readonly Subnet?: string
  readonly IPRange?: string
  readonly Gateway?: string
  readonly AuxiliaryAddresses?: Readonly<Record<string, string>> | null
}

export type SubnetSurroundings = {
  /** Of other networks of this engine: nobody may ask for one that touches them. */
  readonly taken: readonly Prefix[]
  /** Routes, addresses and name servers of the host: avoided, but not refused. */
  readonly occupied: readonly Prefix[]
  readonly pools: readonly AddressPool[]
}

export type SubnetOptions = {
  readonly ipv4: boolean
  readonly ipv6: boolean
  /** A network that leads nowhere, or has no gateway of ours: only what is asked for. */
  readonly wantsGateway: boolean
  readonly severalAllowed: boolean
}

/** Docker's name of the auxiliary address that containers use as their gateway, in place of the bridge's. */
export const DEFAULT_GATEWAY_KEY = { 4: "DefaultGatewayIPv4", 6: "DefaultGatewayIPv6" } as const

export function planSubnets(
  asked: readonly SubnetRequest[],
  surroundings: SubnetSurroundings,
  options: SubnetOptions,
): NetworkSubnet[] {
  checkSubnets(asked, options.ipv6)
  const planned: NetworkSubnet[] = []
  const taken = [...surroundings.taken]
  for (const family of [4, 6] as const) {
    if (!(family === 4 ? options.ipv4 : options.ipv6)) continue
    const ours = asked.filter(({ Subnet }) => parsePrefix(Subnet ?? "")?.prefix.family === family)
    if (ours.length > 1 && !options.severalAllowed)
      throw new DhowError("forbidden", "bridge driver doesn't support multiple subnets")
    for (const request of ours.length === 0 ? [{}] : ours) {
      const prefix = prefixFor(request, family, { ...surroundings, taken })
      taken.push(prefix)
      planned.push(complete(request, prefix, options.wantsGateway))
    }
  }
  return planned
}

/** All faults of the request at once, as Docker has it. */
function checkSubnets(asked: readonly SubnetRequest[], ipv6: boolean): void {
  const faults = asked.flatMap((request) => faultsOf(request, ipv6))
  if (faults.length === 0) return
  const text = faults.length === 1 ? faults[0] : faults.map((fault) => `* ${fault}`).join("\n")
  throw new DhowError("invalid", `invalid network config:\n${text}`)
}

function faultsOf(request: SubnetRequest, ipv6: boolean): string[] {
  const { Subnet = "", IPRange = "", Gateway = "", AuxiliaryAddresses } = request
  const parsed = parsePrefix(Subnet)
  if (parsed === undefined) return [`invalid subnet ${Subnet}: invalid CIDR block notation`]
  const { prefix, address } = parsed
  if (prefix.family === 6 && !ipv6) return []
  const faults: string[] = []
  const own = `${formatIp(address)}/${prefix.length}`
  if (own !== formatPrefix(prefix)) faults.push(`invalid subnet ${own}: it should be ${formatPrefix(prefix)}`)
  if (IPRange !== "") faults.push(...rangeFaults(IPRange, prefix))
  const checked = (text: string, what: string): void => {
    const fault = text === "" ? undefined : addressFault(text, prefix)
    if (fault !== undefined) faults.push(`invalid ${what}: ${fault}`)
  }
  checked(Gateway, `gateway ${Gateway}`)
  for (const [name, text] of Object.entries(AuxiliaryAddresses ?? {})) checked(text, `auxiliary address ${name}`)
  return faults
}

function rangeFaults(text: string, subnet: Prefix): string[] {
  const parsed = parsePrefix(text)
  if (parsed === undefined) return [`invalid ip-range ${text}: invalid CIDR block notation`]
  const { prefix, address } = parsed
  if (prefix.family !== subnet.family)
    return [`invalid ip-range ${text}: parent subnet is an IPv${subnet.family} block`]
  const faults: string[] = []
  const own = `${formatIp(address)}/${prefix.length}`
  if (prefix.length < subnet.length)
    faults.push(`invalid ip-range ${text}: CIDR block is bigger than its parent subnet ${formatPrefix(subnet)}`)
  if (own !== formatPrefix(prefix)) faults.push(`invalid ip-range ${own}: it should be ${formatPrefix(prefix)}`)
  if (!overlaps(subnet, prefix))
    faults.push(`invalid ip-range ${text}: parent subnet ${formatPrefix(subnet)} doesn't contain ip-range`)
  return faults
}

function addressFault(text: string, subnet: Prefix): string | undefined {
  const address = parseIp(text)
  if (address === undefined) return "invalid address"
  if (address.family !== subnet.family) return `parent subnet is an IPv${subnet.family} block`
  return contains(subnet, address) ? undefined : `parent subnet ${formatPrefix(subnet)} doesn't contain this address`
}

function prefixFor({ Subnet }: SubnetRequest, family: Family, surroundings: SubnetSurroundings): Prefix {
  const { taken, occupied, pools } = surroundings
  if (Subnet === undefined) return choosePool(family, { pools, occupied: [...taken, ...occupied] })
  const prefix = parsePrefix(Subnet)?.prefix
  if (prefix === undefined) throw new DhowError("invalid", `invalid subnet ${Subnet}`)
  if (taken.some((other) => overlaps(prefix, other)))
    throw new DhowError("forbidden", "invalid pool request: Pool overlaps with other one on this address space", {
      hint: `Another network has a part of ${Subnet}: dhow network ls, dhow network inspect`,
    })
  return prefix
}

function complete(request: SubnetRequest, prefix: Prefix, wantsGateway: boolean): NetworkSubnet {
  const { IPRange, Gateway, AuxiliaryAddresses } = request
  const auxiliary = Object.fromEntries(
    Object.entries(AuxiliaryAddresses ?? {}).map(([name, text]) => [name, canonical(text)]),
  )
  const range = IPRange ? parsePrefix(IPRange)?.prefix : undefined
  const kept = new Set(Object.values(auxiliary))
  const gateway = Gateway ? canonical(Gateway) : wantsGateway ? firstFree(prefix, range ?? prefix, kept) : ""
  return {
    subnet: formatPrefix(prefix),
    gateway,
    ...(range === undefined ? {} : { ipRange: formatPrefix(range) }),
    ...(Object.keys(auxiliary).length === 0 ? {} : { auxiliary }),
  }
}

/** The first and last address of a range that somebody may have. */
export function usable(subnet: Prefix, range: Prefix): { readonly first: bigint; readonly last: bigint } {
  // Point-to-point subnets have no address of their own, and none for all.
  const isTiny = subnet.length >= (subnet.family === 4 ? 31 : 127)
  const reservedLast = subnet.family === 4 && !isTiny ? lastOf(subnet) : undefined
  const first = !isTiny && range.base === subnet.base ? range.base + 1n : range.base
  const last = lastOf(range) === reservedLast ? lastOf(range) - 1n : lastOf(range)
  return { first, last }
}

function firstFree(subnet: Prefix, range: Prefix, kept: ReadonlySet<string>): string {
  const { family } = subnet
  const { first, last } = usable(subnet, range)
  for (let value = first; value <= last && value <= first + BigInt(kept.size); value++) {
    const text = formatIp({ family, value })
    if (!kept.has(text)) return text
  }
  throw new DhowError("unavailable", "failed to allocate gateway (): no available addresses on this pool")
}

function canonical(text: string): string {
  const address: Address | undefined = parseIp(text)
  return address === undefined ? text : formatIp(address)
}
