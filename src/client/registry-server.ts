// The endpoints of the registry that the daemon serves, typed.
import type {
  RegistryGcReport,
  RegistryGcRequest,
  RegistryListener,
  RegistryListenerStatus,
  RegistryRepository,
  RegistryRetention,
  RegistryStatus,
  RegistryTag,
} from "../wire/registry-server.ts"
import type { Client } from "./client.ts"

const BASE = "/dhow/registry"

export function registryStatus(client: Client): Promise<RegistryStatus> {
  return client.json("GET", BASE)
}

export function serveRegistry(client: Client, listener: RegistryListener): Promise<RegistryListenerStatus> {
  return client.json("POST", `${BASE}/listeners`, { json: listener })
}

export function closeRegistry(client: Client, address: string): Promise<number> {
  return client.call("DELETE", `${BASE}/listeners/${encodeURIComponent(address)}`)
}

export function listRepositories(client: Client): Promise<readonly RegistryRepository[]> {
  return client.json("GET", `${BASE}/repositories`)
}

export function listTags(client: Client, name: string): Promise<readonly RegistryTag[]> {
  return client.json("GET", `${BASE}/tags/${path(name)}`)
}

/** A repository, or a tag or digest of it. */
export function removeFromRegistry(client: Client, target: string): Promise<number> {
  return client.call("DELETE", `${BASE}/repositories/${path(target)}`)
}

export function collectRegistry(client: Client, request: RegistryGcRequest): Promise<RegistryGcReport> {
  return client.json("POST", `${BASE}/gc`, { json: request })
}

export function listRetention(client: Client): Promise<readonly RegistryRetention[]> {
  return client.json("GET", `${BASE}/retention`)
}

export function setRetention(client: Client, policy: RegistryRetention): Promise<number> {
  return client.call("POST", `${BASE}/retention`, { json: policy })
}

export function dropRetention(client: Client, pattern: string): Promise<number> {
  return client.call("DELETE", `${BASE}/retention/${path(pattern)}`)
}

function path(text: string): string {
  return text.split("/").map(encodeURIComponent).join("/")
}
