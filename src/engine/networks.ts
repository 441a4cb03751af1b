// The networks noun, as the API sees it: what src/network knows, with Docker's filters and the containers attached.
import type { Networks as HostNetworks } from "../network/contract.ts"
import type { NetworkInspect } from "../wire/system.ts"
import { isRunning } from "./containers/record.ts"
import type { ContainerStore } from "./containers/store.ts"
import type { Networks } from "./contract.ts"
import type { EventLog } from "./events.ts"
import { hasFilter, matchLabels, rejectUnknownFilters } from "./filters.ts"

const BUILT_IN = new Set(["bridge", "host", "none"])

export function openNetworksNoun(networks: HostNetworks, store: ContainerStore, events: EventLog): Networks {
  return {
    list: async (filters) => {
      rejectUnknownFilters(filters, ["dangling", "driver", "id", "label", "name", "scope", "type"])
      return networks
        .list()
        .filter(
          (network) =>
            hasFilter(filters, "driver", (value) => network.Driver === value) &&
            hasFilter(filters, "id", (value) => network.Id.includes(value)) &&
            hasFilter(filters, "name", (value) => network.Name.includes(value)) &&
            hasFilter(filters, "scope", (value) => network.Scope === value) &&
            hasFilter(filters, "type", (value) => (value === "builtin") === BUILT_IN.has(network.Name)) &&
            matchLabels(filters, network.Labels),
        )
        .map((network) => ({ ...network, Containers: {} }))
    },
    // Only the predefined networks exist, which a prune never removes.
    prune: async (filters) => {
      rejectUnknownFilters(filters, ["label", "label!", "until"])
      events.emit("network", "prune", "", { reclaimed: "0" })
      return { NetworksDeleted: null }
    },
    inspect: async (reference) => {
      const network = networks.inspect(reference)
      return { ...network, Containers: attachedContainers(store, network.Name) }
    },
  }
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
