// Namespaces before they have an owner: made, recorded, and destroyed. The row comes after the namespace on the way in
// and goes before it on the way out, so that a crash leaves a namespace for the sweep, never a row that lies.
import { randomBytes } from "node:crypto"
import { crashpoint } from "../lib/crashpoint.ts"
import { DhowError } from "../lib/errors.ts"
import { log } from "../lib/log.ts"
import type { NetlinkSocket } from "../lib/netlink.ts"
import type { EndpointSettings } from "../wire/container.ts"
import { subnetOf } from "./bridge.ts"
import { chooseGateways, type EndpointWish, type Gateways, inOrder, takeEndpoint, wayOut } from "./endpoints.ts"
import { joinNetwork, type Sides, setDefaultRoute } from "./join.ts"
import { linkIndex } from "./link.ts"
import type { Namespaces } from "./namespaces.ts"
import type { EndpointRecord, Namespace, NamespaceRecord, Network } from "./record.ts"
import type { Tables } from "./tables.ts"

export type Preparation = {
  readonly tables: Tables
  readonly namespaces: Namespaces
  readonly host: NetlinkSocket
}

export const FIRST_INTERFACE = "eth0"
const INTERFACE_OPTION = "com.docker.network.endpoint.ifname"
const PREFIX_OPTION = "com.docker.network.container_iface_prefix"

/** On all networks that are wished for: the interfaces and the way out are in Docker's order. */
export function prepareJoined(parts: Preparation, wishes: readonly EndpointWish[]): Namespace {
  const key = randomBytes(5).toString("hex")
  const ordered = inOrder(wishes)
  const gateways = chooseGateways(ordered)
  const endpoints: EndpointRecord[] = []
  try {
    for (const [place, wish] of ordered.entries()) {
      const settings = takeEndpoint(parts.tables, wish, key)
      endpoints.push(endpointRecord(wish.network, { key, place, settings, taken: endpoints }))
    }
    crashpoint("network.prepare:before-namespace")
    parts.namespaces.create(key, (inner, namespaceFd) => {
      for (const [place, endpoint] of endpoints.entries())
        join({ host: parts.host, inner, namespaceFd }, ordered[place]?.network, endpoint)
      leadOut(inner, endpoints, gateways)
    })
    return insert(parts.tables, key, { name: "", endpoints, gateways, ports: [] })
  } catch (error) {
    discard(parts, key)
    if (error instanceof DhowError) throw error
    const names = wishes.map(({ network }) => `"${network.name}"`).join(", ")
    throw new DhowError("internal", `Cannot attach a container to network ${names}`, { cause: error })
  }
}

/** The record of an endpoint to be: the names of its interface on both sides. */
export function endpointRecord(
  network: Network,
  options: {
    readonly key: string
    /** A number that no other endpoint of the namespace has. */
    readonly place: number
    readonly settings: EndpointSettings
    readonly taken: readonly EndpointRecord[]
  },
): EndpointRecord {
  const { key, place, settings, taken } = options
  const isBridge = network.record.driver === "bridge"
  const hostInterface = isBridge ? `veth${key}${place === 0 ? "" : place.toString(36)}` : ""
  return {
    network: network.id,
    networkName: network.name,
    hostInterface,
    interface: interfaceName(network, settings, taken),
    settings,
  }
}

function interfaceName(network: Network, settings: EndpointSettings, taken: readonly EndpointRecord[]): string {
  const names = new Set(taken.map((endpoint) => endpoint.interface ?? FIRST_INTERFACE))
  const asked = settings.DriverOpts?.[INTERFACE_OPTION]
  if (asked !== undefined) {
    if (names.has(asked) || asked === "lo" || !/^[^\s/:]{1,15}$/.test(asked))
      throw new DhowError("invalid", `invalid interface name "${asked}" on network "${network.name}"`, {
        hint: "It has at most 15 characters, and no other network of the container has it",
      })
    return asked
  }
  const prefix = network.record.options[PREFIX_OPTION] ?? "eth"
  for (let number = 0; ; number++) if (!names.has(`${prefix}${number}`)) return `${prefix}${number}`
}

export function join(sides: Sides, network: Network | undefined, endpoint: EndpointRecord): void {
  if (network === undefined) throw new Error(`Network "${endpoint.networkName}" is gone`)
  const { hostInterface, settings, interface: name = FIRST_INTERFACE } = endpoint
  joinNetwork(sides, { network, settings, hostInterface, interface: name })
}

/** The default routes of a namespace, as its gateways say. */
export function leadOut(inner: NetlinkSocket, endpoints: readonly EndpointRecord[], gateways: Gateways): void {
  for (const family of [4, 6] as const) {
    const endpoint = endpoints.find(({ network }) => network === gateways[family])
    const gateway = endpoint === undefined ? undefined : wayOut(endpoint, gateways, family)
    if (endpoint === undefined || gateway === undefined) continue
    setDefaultRoute(inner, family, { name: endpoint.interface ?? FIRST_INTERFACE, gateway })
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
