// Namespaces before they have an owner: made, recorded, and destroyed. The row comes after the namespace on the way in
// and goes before it on the way out, so that a crash leaves a namespace for the sweep, never a row that lies.
import { randomBytes } from "node:crypto"
import { crashpoint } from "../lib/crashpoint.ts"
import { DhowError } from "../lib/errors.ts"
import { log } from "../lib/log.ts"
import type { NetlinkSocket } from "../lib/netlink.ts"
import type { EndpointSettings } from "../wire/container.ts"
import { reservedAddress, subnetOf } from "./bridge.ts"
import { joinBridge, linkIndex } from "./link.ts"
import type { Namespaces } from "./namespaces.ts"
import type { Namespace, NamespaceRecord, Network } from "./record.ts"
import { contains, macOf, parseAddress } from "./subnet.ts"
import type { Tables } from "./tables.ts"

export type Preparation = {
  readonly tables: Tables
  readonly namespaces: Namespaces
  readonly host: NetlinkSocket
}

/** Our ends of veth pairs, by the key of their namespace; netavark's and others' look different. */
export const HOST_INTERFACE = /^veth[0-9a-f]{10}$/

export type EndpointWish = { readonly macAddress?: string | undefined; readonly address?: string | undefined }

/** With a new address on the bridge, unless the one that is wished for is free. */
export function prepareBridged(parts: Preparation, bridge: Network, wish: EndpointWish = {}): Namespace {
  const key = randomBytes(5).toString("hex")
  const hostInterface = `veth${key}`
  try {
    const settings = takeEndpoint(parts.tables, bridge, key, wish)
    crashpoint("network.prepare:before-namespace")
    parts.namespaces.create(key, (inner, namespaceFd) =>
      joinBridge(parts.host, inner, namespaceFd, {
        hostInterface,
        containerInterface: "eth0",
        bridge: bridge.record.interface,
        address: settings.IPAddress,
        prefixLength: settings.IPPrefixLen,
        gateway: bridge.record.internal ? "" : settings.Gateway,
        macAddress: settings.MacAddress,
        mtu: bridge.record.mtu,
      }),
    )
    const endpoint = { network: bridge.id, networkName: bridge.name, hostInterface, settings }
    return insert(parts.tables, key, { name: "", endpoints: [endpoint], ports: [] })
  } catch (error) {
    discard(parts, key)
    if (error instanceof DhowError) throw error
    throw new DhowError("internal", `Cannot attach a container to "${bridge.record.interface}"`, { cause: error })
  }
}

/** With loopback only. */
export function prepareIsolated({ tables, namespaces }: Pick<Preparation, "tables" | "namespaces">): Namespace {
  const key = randomBytes(5).toString("hex")
  try {
    namespaces.create(key, () => {})
    return insert(tables, key, { name: "", endpoints: [], ports: [] })
  } catch (error) {
    discard({ tables, namespaces }, key)
    throw error
  }
}

/** What could not be made as a whole: on a full disk the row cannot be written, nor its address be given back. */
function discard({ tables, namespaces }: Pick<Preparation, "tables" | "namespaces">, key: string): void {
  for (const step of [() => namespaces.destroy(key), () => tables.deleteNamespace(key)]) {
    try {
      step()
    } catch (error) {
      log.warn("a network namespace that was not finished could not be removed", { key, error: String(error) })
    }
  }
}

/** Whether a namespace that an earlier run made ready is still there, and on this bridge. */
export function isUsable({ namespaces, host }: Preparation, { key, record }: Namespace, bridge: Network): boolean {
  if (!namespaces.exists(key)) return false
  return record.endpoints.every(
    ({ network, hostInterface, settings }) =>
      network === bridge.id &&
      settings.Gateway === subnetOf(bridge).gateway &&
      linkIndex(host, hostInterface) !== undefined,
  )
}

/** Logs what fails, and goes on. */
export function destroyNamespace(
  { tables, namespaces }: Pick<Preparation, "tables" | "namespaces">,
  key: string,
): void {
  try {
    tables.deleteNamespace(key)
    crashpoint("network.destroy:after-row")
    namespaces.destroy(key)
  } catch (error) {
    log.warn("network namespace could not be removed", { key, error: String(error) })
  }
}

function insert(tables: Tables, key: string, record: NamespaceRecord): Namespace {
  crashpoint("network.prepare:before-row")
  tables.insertNamespace(key, record)
  return { key, owner: null, record }
}

function takeEndpoint(tables: Tables, network: Network, key: string, { macAddress, address: wished }: EndpointWish) {
  const { subnet, gateway } = subnetOf(network)
  const reserved = new Set([parseAddress(gateway), reservedAddress(network)])
  const isOurs = wished !== undefined && contains(subnet, parseAddress(wished)) && !reserved.has(parseAddress(wished))
  const address =
    isOurs && tables.claimAddress(network, wished, key) ? wished : tables.takeAddress(network, subnet, reserved, key)
  return {
    IPAMConfig: null,
    Links: null,
    Aliases: null,
    MacAddress: macAddress ?? macOf(parseAddress(address)),
    DriverOpts: null,
    GwPriority: 0,
    NetworkID: network.id,
    EndpointID: randomBytes(32).toString("hex"),
    Gateway: gateway,
    IPAddress: address,
    IPPrefixLen: subnet.prefixLength,
    IPv6Gateway: "",
    GlobalIPv6Address: "",
    GlobalIPv6PrefixLen: 0,
    DNSNames: null,
  } satisfies EndpointSettings
}
