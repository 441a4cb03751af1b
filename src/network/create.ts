// A network comes to be, and goes. Row first on both ways: a bridge without a row is nobody's and is made when it is
// needed; on the way out what is left in the kernel is swept.
import { crashpoint } from "../lib/crashpoint.ts"
import { DhowError } from "../lib/errors.ts"
import { type Prefix, parsePrefix } from "../lib/ip-address.ts"
import type { NetworkCreateRequest } from "../wire/network.ts"
import type { Bridges } from "./bridges.ts"
import type { NetworksOptions } from "./contract.ts"
import { hostMtu, occupiedPrefixes } from "./host-routes.ts"
import { DEFAULT_POOLS, uniqueLocalPool } from "./ipam/pools.ts"
import { planNetwork } from "./plan-network.ts"
import type { Preparation } from "./prepare.ts"
import { DEFAULT_NETWORKS, type Network, type NetworkRecord } from "./record.ts"
import { newId } from "./tables.ts"

export type CreateParts = Preparation & { readonly bridges: Bridges; readonly options: NetworksOptions }

export async function createNetwork(parts: CreateParts, request: NetworkCreateRequest): Promise<Network> {
  const { tables, host, bridges, options } = parts
  const name = request.Name ?? ""
  if (tables.networkByName(name) !== undefined && !isPredefined(name))
    throw new DhowError("conflict", `network with name ${name} already exists`)
  const id = newId()
  const networks = tables.networks()
  const record = planNetwork(withDefaultOptions(request, options), id, {
    taken: networks.filter(({ record }) => !record.configOnly).flatMap(prefixesOf),
    occupied: occupiedPrefixes(host),
    pools: [...(options.addressPools ?? DEFAULT_POOLS), uniqueLocalPool(options.hostId ?? "")],
    mtu: hostMtu(host),
    find: (reference) => networks.find((network) => network.name === reference || network.id === reference),
  })
  const rival = networks.find((other) => other.record.interface === record.interface && record.driver === "bridge")
  if (rival !== undefined && !record.configOnly)
    throw new DhowError(
      "forbidden",
      `cannot create network ${id} (${record.interface}): conflicts with network ${rival.id} (${rival.record.interface}): networks have same bridge name`,
    )
  const sharers = networks.filter((other) => other.record.driver === "macvlan" && sameParent(other.record, record))
  const first = sharers.find(({ record: other }) => isAlone(other)) ?? sharers[0]
  if (record.driver === "macvlan" && first !== undefined && (isAlone(record) || isAlone(first.record)))
    throw new DhowError(
      "invalid",
      `macvlan network ${first.id} is already using parent interface ${record.interface}`,
      {
        hint: "In mode passthru a parent interface is one network's alone",
      },
    )
  const network = tables.insertNetwork(id, name, record)
  crashpoint("network.create:after-row")
  try {
    await bridges.ready(network)
  } catch (error) {
    tables.deleteNetwork(id)
    await bridges.takeDown(network)
    throw error
  }
  return network
}

/** Options that the request does not say itself. One that has another's configuration says none. */
function withDefaultOptions(request: NetworkCreateRequest, { defaultOptions }: NetworksOptions): NetworkCreateRequest {
  const usual = defaultOptions?.[request.Driver || "bridge"]
  if (usual === undefined || request.ConfigFrom?.Network) return request
  return { ...request, Options: { ...usual, ...request.Options } }
}

const sameParent = (a: NetworkRecord, b: NetworkRecord): boolean => a.interface === b.interface
const isAlone = ({ options }: NetworkRecord): boolean => options["macvlan_mode"] === "passthru"

export async function removeNetwork({ tables, bridges }: CreateParts, network: Network): Promise<void> {
  const { id, name, record } = network
  if (isPredefined(name)) throw new DhowError("forbidden", `${name} is a pre-defined network and cannot be removed`)
  const users = tables.networks().filter((other) => other.record.configFrom === name)
  if (record.configOnly && users.length > 0)
    throw new DhowError("forbidden", `configuration network "${name}" is in use`, {
      hint: `Remove what depends on it: ${users.map((user) => user.name).join(", ")}`,
    })
  const active = tables
    .namespaces()
    .flatMap((namespace) =>
      namespace.owner === null
        ? []
        : namespace.record.endpoints.flatMap(({ network: on, settings }) =>
            on === id ? [`name:"${namespace.record.name}" id:"${(settings.EndpointID ?? "").slice(0, 12)}"`] : [],
          ),
    )
  if (active.length > 0)
    throw new DhowError(
      "forbidden",
      `error while removing network: network ${name} has active endpoints (${active.join(", ")})`,
      { hint: `Stop the containers, or disconnect them: dhow network disconnect ${name} CONTAINER` },
    )
  tables.deleteNetwork(id)
  crashpoint("network.remove:after-row")
  await bridges.takeDown(network)
}

function prefixesOf({ record }: Network): Prefix[] {
  return record.subnets.flatMap(({ subnet }) => parsePrefix(subnet)?.prefix ?? [])
}

function isPredefined(name: string): boolean {
  return Object.hasOwn(DEFAULT_NETWORKS, name)
}
