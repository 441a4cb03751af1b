// What a container asks of its networks, checked against what each offers, with Docker's words.
import { DhowError } from "../lib/errors.ts"
import type { EndpointSettings } from "../wire/container.ts"
import type { EndpointWish } from "./endpoints.ts"
import { DEFAULT_NETWORKS, type Network } from "./record.ts"

/** Who asks. */
export type Joiner = { readonly owner: string; readonly name: string; readonly hostname: string }

export function wishFor(network: Network, settings: EndpointSettings, joiner: Joiner): EndpointWish {
  if (network.record.configOnly)
    throw new DhowError("forbidden", `configuration network "${network.name}" is not a network to connect to`)
  const { IPv4Address, IPv6Address } = settings.IPAMConfig ?? {}
  if (settings.MacAddress) checkMac(settings.MacAddress)
  if (network.name !== DEFAULT_NETWORKS.bridge)
    return { network, settings, dnsNames: dnsNames(joiner, settings.Aliases ?? []) }
  if (IPv4Address || IPv6Address)
    throw new DhowError("invalid", "user specified IP address is supported on user defined networks only")
  if ((settings.Aliases ?? []).length > 0)
    throw new DhowError("invalid", "network-scoped alias is supported only for containers in user defined networks")
  return { network, settings }
}

/** Docker's order: the container's name, its aliases, its short id, its hostname. */
export function dnsNames({ owner, name, hostname }: Joiner, aliases: readonly string[]): string[] {
  return [...new Set([name, ...aliases, owner.slice(0, 12), hostname].filter((text) => text !== ""))]
}

function checkMac(text: string): void {
  if (!/^[0-9a-f]{2}([:-][0-9a-f]{2}){5}$/i.test(text) || (Number.parseInt(text.slice(0, 2), 16) & 1) === 1)
    throw new DhowError("invalid", `invalid MAC address: ${text}`)
}
