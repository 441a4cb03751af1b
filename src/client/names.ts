// Names on networks: dhow's own endpoints.
import type { Resolution, ResolverFailure } from "../wire/resolve.ts"
import type { Client } from "./client.ts"

/** Without a container ("") one for every network that has the name. */
export function resolveName(client: Client, container: string, name: string): Promise<Resolution[]> {
  return client.json("GET", "/dhow/networks/resolve", { query: { container, name } })
}

export function nameFailures(client: Client): Promise<ResolverFailure[]> {
  return client.json("GET", "/dhow/networks/failures")
}
