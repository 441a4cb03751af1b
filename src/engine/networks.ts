// The networks noun, as the API sees it: what src/network knows, with Docker's filters and the containers attached.
import { isKind } from "../lib/errors.ts"
import { log } from "../lib/log.ts"
import type { Networks as HostNetworks } from "../network/contract.ts"
import type { NetworkInspect } from "../wire/system.ts"
import { isRunning } from "./containers/record.ts"
import type { ContainerStore } from "./containers/store.ts"
import type { Filters, Networks } from "./contract.ts"
import type { EventLog } from "./events.ts"
import { booleanFilter, hasFilter, matchLabels, rejectUnknownFilters, untilFilter } from "./filters.ts"
import { type MappedContainer, networkMap } from "./network-map.ts"

const BUILT_IN = new Set(["bridge", "host", "none"])

export function openNetworksNoun(networks: HostNetworks, store: ContainerStore, events: EventLog): Networks {
  const tell = (action: string, { Id, Name, Driver }: NetworkInspect): void => {
    events.emit("network", action, Id, { name: Name, type: Driver })
  }
  return {
    create: async (request) => {
      const network = await networks.create(request)
      tell("create", network)
      return { Id: network.Id, Warning: "" }
    },
    remove: async (reference) => {
      const network = networks.inspect(reference)
      await networks.remove(network.Id)
      if (!network.ConfigOnly) tell("destroy", network)
    },
    list: async (filters) => {
      rejectUnknownFilters(filters, ["dangling", "driver", "id", "label", "name", "scope", "type"])
      const used = filters.has("dangling") ? usedNetworks(store) : new Set<string>()
      const dangling = booleanFilter(filters, "dangling", false)
      return networks
        .list()
        .filter(
          (network) =>
            hasFilter(filters, "driver", (value) => network.Driver === value) &&
            hasFilter(filters, "id", (value) => network.Id.includes(value)) &&
            hasFilter(filters, "name", (value) => network.Name.includes(value)) &&
            hasFilter(filters, "scope", (value) => network.Scope === value) &&
            hasFilter(filters, "type", (value) => (value === "builtin") === BUILT_IN.has(network.Name)) &&
            (!filters.has("dangling") || dangling === isUnused(network, used)) &&
            matchLabels(filters, network.Labels),
        )
        .map((network) => ({ ...network, Containers: {} }))
    },
    map: async (references) => {
      const asked = references.map((reference) => networks.inspect(reference))
      const running = store
        .all()
        .flatMap(({ record, state }) =>
          isRunning(state)
            ? [{ id: record.id, name: record.name, endpoints: state.process.endpoints, ports: state.process.ports }]
            : [],
        )
      const onThem = ({ endpoints }: MappedContainer): boolean =>
        asked.some(({ Name }) => endpoints[Name] !== undefined)
      return asked.length === 0 ? networkMap(networks.list(), running) : networkMap(asked, running.filter(onThem))
    },
    prune: (filters) => prune({ networks, store, events, tell }, filters),
    inspect: async (reference) => {
      const network = networks.inspect(reference)
      return { ...network, Containers: attachedContainers(store, network.Name) }
    },
  }
}

/** Networks that no running container is on, as Docker has it. */
async function prune(
  parts: {
    readonly networks: HostNetworks
    readonly store: ContainerStore
    readonly events: EventLog
    readonly tell: (action: string, network: NetworkInspect) => void
  },
  filters: Filters,
): Promise<{ NetworksDeleted: string[] | null }> {
  const { networks, store, events, tell } = parts
  rejectUnknownFilters(filters, ["label", "label!", "until"])
  const until = untilFilter(filters)
  const deleted: string[] = []
  for (const network of networks.list()) {
    if (network.ConfigOnly || !isUnused(network, usedNetworks(store)) || !matchLabels(filters, network.Labels)) continue
    if (until !== undefined && Date.parse(network.Created) > until) continue
    try {
      await networks.remove(network.Id)
    } catch (error) {
      // Somebody has joined it, or removed it, meanwhile.
      if (!isKind(error, "forbidden") && !isKind(error, "not-found"))
        log.warn("network could not be pruned", { network: network.Name, error: String(error) })
      continue
    }
    tell("destroy", network)
    deleted.push(network.Name)
  }
  events.emit("network", "prune", "", { reclaimed: "0" })
  return { NetworksDeleted: deleted.length > 0 ? deleted : null }
}

const isUnused = ({ Name }: NetworkInspect, used: ReadonlySet<string>): boolean =>
  !BUILT_IN.has(Name) && !used.has(Name)

function usedNetworks(store: ContainerStore): Set<string> {
  return new Set(store.all().flatMap(({ state }) => (isRunning(state) ? Object.keys(state.process.endpoints) : [])))
}

function attachedContainers(store: ContainerStore, network: string): NetworkInspect["Containers"] {
  const attached: NetworkInspect["Containers"] = {}
  for (const { record, state } of store.all()) {
    if (!isRunning(state)) continue
    const endpoint = state.process.endpoints[network]
    if (endpoint === undefined) continue
    attached[record.id] = {
      Name: record.name,
      EndpointID: endpoint.EndpointID ?? "",
      MacAddress: endpoint.MacAddress ?? "",
      IPv4Address: endpoint.IPAddress ? `${endpoint.IPAddress}/${endpoint.IPPrefixLen ?? 0}` : "",
      IPv6Address: endpoint.GlobalIPv6Address
        ? `${endpoint.GlobalIPv6Address}/${endpoint.GlobalIPv6PrefixLen ?? 0}`
        : "",
    }
  }
  return attached
}
