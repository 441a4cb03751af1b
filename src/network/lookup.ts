// Networks by name or id, and what Docker refuses on the default bridge.
import { DhowError } from "../lib/errors.ts"
import type { AttachRequest } from "./contract.ts"
import { DEFAULT_NETWORKS, type Network } from "./record.ts"
import type { Tables } from "./tables.ts"

/** By name, id, or the unique beginning of an id; "default" is the default bridge. */
export function findNetwork(tables: Tables, reference: string): Network {
  const byName = tables.networkByName(reference === "default" ? DEFAULT_NETWORKS.bridge : reference)
  if (byName !== undefined) return byName
  const [found, second] = /^[0-9a-f]{1,64}$/.test(reference) ? tables.networksById(reference) : []
  if (found === undefined) throw new DhowError("not-found", `network ${reference} not found`)
  if (second !== undefined)
    throw new DhowError("invalid", `network ${reference} is ambiguous (2 matches found on ID prefix)`)
  return found
}

/** The MAC address that is asked for, if any. Throws where the request is for more than the default bridge offers. */
export function checkDefaultBridge(tables: Tables, bridge: Network, request: AttachRequest): string | undefined {
  let macAddress: string | undefined
  for (const [reference, settings] of request.networks) {
    const network = reference === bridge.name ? bridge : findNetwork(tables, reference)
    if (network.id !== bridge.id)
      throw new DhowError("invalid", `Container "${request.name}" cannot be attached to network "${network.name}"`)
    const { IPv4Address, IPv6Address, LinkLocalIPs = [] } = settings.IPAMConfig ?? {}
    if (IPv4Address || IPv6Address || LinkLocalIPs.length > 0)
      throw new DhowError("invalid", "user specified IP address is supported on user defined networks only")
    if ((settings.Aliases ?? []).length > 0)
      throw new DhowError("invalid", "network-scoped aliases are only supported for user-defined networks")
    if (settings.MacAddress) macAddress = checkMac(settings.MacAddress)
  }
  return macAddress
}

function checkMac(text: string): string {
  if (!/^[0-9a-f]{2}([:-][0-9a-f]{2}){5}$/i.test(text) || (Number.parseInt(text.slice(0, 2), 16) & 1) === 1)
    throw new DhowError("invalid", `invalid MAC address: ${text}`)
  return text.toLowerCase().replaceAll("-", ":")
}
