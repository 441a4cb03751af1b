// The endpoints of networks, typed.
import type {
  NetworkConnectRequest,
  NetworkCreateRequest,
  NetworkCreateResponse,
  NetworkDisconnectRequest,
} from "../wire/network.ts"
import type { NetworkMap } from "../wire/network-map.ts"
import type { NetworkInspect } from "../wire/system.ts"
import type { Client } from "./client.ts"
import { type Filters, filtersParameter } from "./filters.ts"

const network = (name: string): string => `/networks/${encodeURIComponent(name)}`

export function createNetwork(client: Client, request: NetworkCreateRequest): Promise<NetworkCreateResponse> {
  return client.json("POST", "/networks/create", { json: request })
}

export function removeNetwork(client: Client, name: string): Promise<number> {
  return client.call("DELETE", network(name))
}

export function connectNetwork(client: Client, name: string, request: NetworkConnectRequest): Promise<number> {
  return client.call("POST", `${network(name)}/connect`, { json: request })
}

export function disconnectNetwork(client: Client, name: string, request: NetworkDisconnectRequest): Promise<number> {
  return client.call("POST", `${network(name)}/disconnect`, { json: request })
}

export function listNetworks(client: Client, filters: Filters): Promise<NetworkInspect[]> {
  return client.json("GET", "/networks", { query: { filters: filtersParameter(filters) } })
}

export function inspectNetworkText(client: Client, name: string): Promise<string> {
  return client.text("GET", network(name))
}

export function pruneNetworks(client: Client, filters: Filters): Promise<{ NetworksDeleted: string[] | null }> {
  return client.json("POST", "/networks/prune", { query: { filters: filtersParameter(filters) } })
}

/** All networks, or those that are named. */
export function networkMap(client: Client, names: readonly string[]): Promise<NetworkMap> {
  return client.json("GET", "/dhow/networks/map", names.length === 0 ? {} : { query: { network: names.join(",") } })
}
