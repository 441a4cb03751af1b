// A running container joins another network, or leaves one. On the way in the kernel comes first and the row last, on the
// way out the row goes first: a crash leaves an interface that no row names, which the sweep takes away.
import { closeSync, openSync } from "node:fs"
import { crashpoint } from "../lib/crashpoint.ts"
import { DhowError } from "../lib/errors.ts"
import { log } from "../lib/log.ts"
import type { NetlinkSocket } from "../lib/netlink.ts"
import { inNetworkNamespace } from "../lib/syscalls/mount.ts"
import { chooseGateways, type EndpointWish, type Gateways, gatewaysOf, takeEndpoint, wayOut } from "./endpoints.ts"
import { type Sides, setDefaultRoute } from "./join.ts"
import { openRouteSocket, removeLink } from "./link.ts"
import { endpointRecord, FIRST_INTERFACE, join, type Preparation } from "./prepare.ts"
import { publicationsOn } from "./publications.ts"
import type { PublishedPorts } from "./publish.ts"
import { forgetLimits, limitEndpoint, refuseUnlimited } from "./rate/limits.ts"
import type { EndpointRecord, Namespace, NamespaceRecord, Network } from "./record.ts"

export type ConnectParts = Preparation & {
  /** Undefined for networks whose ports are not published. */
  readonly published: (network: string) => PublishedPorts | undefined
}

/** In force in the kernel, and for good once `commit` was called. */
export type EndpointChange = {
  readonly namespace: Namespace
  readonly endpoint: EndpointRecord
  /** Writes the row: to be called in the transaction that records the change. */
  commit(): void
  undo(): void
}

export function connectNamespace(parts: ConnectParts, namespace: Namespace, wish: EndpointWish): EndpointChange {
  const { key, record } = namespace
  const { network } = wish
  if (record.endpoints.some((endpoint) => endpoint.network === network.id))
    throw new DhowError("forbidden", `endpoint with name ${record.name} already exists in network ${network.name}`)
  refuseUnlimited(record.rate, [network])
  const settings = takeEndpoint(parts.tables, wish, key)
  const place = freePlace(record.endpoints)
  const after = (endpoint: EndpointRecord): NamespaceRecord => {
    const endpoints = [...record.endpoints, endpoint]
    return { ...record, endpoints, gateways: gatewaysAmong(parts, endpoints) }
  }
  let endpoint: EndpointRecord | undefined
  const undo = (): void => {
    if (endpoint !== undefined) leaveKernel(parts, { key, before: after(endpoint), after: record, endpoint })
    parts.tables.releaseAddresses(network.id, key)
  }
  try {
    endpoint = endpointRecord(network, { key, place, settings, taken: record.endpoints })
    crashpoint("network.connect:before-interface")
    const next = after(endpoint)
    enter(parts, key, (sides) => {
      if (endpoint !== undefined) join(sides, network, endpoint)
      reroute(sides.inner, record, next)
    })
    if (record.rate !== undefined) limitEndpoint(parts.host, endpoint, record.rate)
    movePorts(parts, namespace, next)
  } catch (error) {
    undo()
    if (error instanceof DhowError) throw error
    throw new DhowError("internal", `Cannot connect container "${record.name}" to network "${network.name}"`, {
      cause: error,
    })
  }
  crashpoint("network.connect:before-row")
  const next = after(endpoint)
  return {
    namespace: { ...namespace, record: next },
    endpoint,
    commit: () => parts.tables.putNamespace(key, next),
    undo,
  }
}

/** What leaving takes: `commit` writes the row, then `finish` takes the interface away. */
export function disconnectNamespace(
  parts: ConnectParts,
  namespace: Namespace,
  network: Pick<Network, "id" | "name">,
): { readonly namespace: Namespace; commit(): void; finish(): void } {
  const { key, record } = namespace
  const endpoint = record.endpoints.find((candidate) => candidate.network === network.id)
  if (endpoint === undefined)
    throw new DhowError("internal", `container ${namespace.owner} is not connected to network ${network.name}`)
  const endpoints = record.endpoints.filter((candidate) => candidate !== endpoint)
  const after: NamespaceRecord = { ...record, endpoints, gateways: gatewaysAmong(parts, endpoints) }
  return {
    namespace: { ...namespace, record: after },
    commit: () => parts.tables.putNamespace(key, after),
    finish() {
      crashpoint("network.disconnect:after-row")
      leaveKernel(parts, { key, before: record, after, endpoint })
      parts.tables.releaseAddresses(network.id, key)
    },
  }
}

/** Takes the interface away, and lets the others lead out. What fails is logged: the row has decided. */
function leaveKernel(
  parts: ConnectParts,
  change: {
    readonly key: string
    readonly before: NamespaceRecord
    readonly after: NamespaceRecord
    readonly endpoint: EndpointRecord
  },
): void {
  const { key, before, after, endpoint } = change
  const steps = [
    () => movePorts(parts, { key, owner: before.name, record: before }, after),
    () => {
      if (endpoint.hostInterface !== "") removeLink(parts.host, endpoint.hostInterface)
    },
    () => {
      if (before.rate !== undefined) forgetLimits(parts.host, [endpoint])
    },
    () =>
      enter(parts, key, ({ inner }) => {
        if (endpoint.hostInterface === "") removeLink(inner, endpoint.interface ?? FIRST_INTERFACE)
        reroute(inner, before, after)
      }),
  ]
  for (const step of steps) {
    try {
      step()
    } catch (error) {
      log.warn("A container has not left a network as a whole", { network: endpoint.networkName, error: String(error) })
    }
  }
}

/** Default routes where they change: the kernel has removed those of an interface that is gone. */
function reroute(inner: NetlinkSocket, before: NamespaceRecord, after: NamespaceRecord): void {
  for (const family of [4, 6] as const) {
    const old = gatewayEndpoint(before, family)
    const now = gatewayEndpoint(after, family)
    if (old?.network === now?.network) continue
    const gateway = (now && wayOut(now, gatewaysOf(after), family)) ?? ""
    setDefaultRoute(inner, family, { name: now?.interface ?? FIRST_INTERFACE, gateway })
  }
}

function gatewayEndpoint(record: NamespaceRecord, family: 4 | 6): EndpointRecord | undefined {
  return record.endpoints.find(({ network }) => network === gatewaysOf(record)[family])
}

/** Published ports lead to where packets leave by. */
function movePorts(parts: ConnectParts, before: Namespace, after: NamespaceRecord): void {
  const { record } = before
  if (record.ports.length === 0) return
  const networks = new Set([...record.endpoints, ...after.endpoints].map(({ network }) => network))
  const owned = { ...before, owner: before.owner ?? record.name }
  for (const network of networks) {
    const published = parts.published(network)
    if (published === undefined) continue
    const [old, now] = [publicationsOn(network, owned), publicationsOn(network, { ...owned, record: after })]
    for (const publication of old)
      if (!now.some(({ address }) => address === publication.address)) published.remove(publication)
    for (const publication of now)
      if (!old.some(({ address }) => address === publication.address)) published.add(publication)
  }
}

function gatewaysAmong({ tables }: Preparation, endpoints: readonly EndpointRecord[]): Gateways {
  const known = new Map(tables.networks().map((network) => [network.id, network]))
  return chooseGateways(
    endpoints.flatMap(({ network: id, settings }) => {
      const network = known.get(id)
      return network === undefined ? [] : [{ network, settings }]
    }),
  )
}

/** The lowest number that no interface on our side ends with. */
function freePlace(endpoints: readonly EndpointRecord[]): number {
  const used = new Set(endpoints.map(({ hostInterface }) => hostInterface.slice("veth".length + 10)))
  for (let place = 0; ; place++) if (!used.has(place === 0 ? "" : place.toString(36))) return place
}

function enter(parts: Preparation, key: string, body: (sides: Sides) => void): void {
  inNetworkNamespace(parts.namespaces.path(key), () => {
    const namespaceFd = openSync("/proc/thread-self/ns/net", "r")
    try {
      using inner = openRouteSocket()
      body({ host: parts.host, inner, namespaceFd })
    } finally {
      closeSync(namespaceFd)
    }
  })
}
