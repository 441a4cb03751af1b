// The endpoints that ask other registries, typed.
import type { AuthConfig, AuthResponse, SearchResult } from "../wire/registry.ts"
import type { Client } from "./client.ts"
import { type Filters, filtersParameter } from "./filters.ts"

/** The header that shows a registry who asks. */
export function authHeaders(auth: string | undefined): Readonly<Record<string, string>> {
  return auth === undefined ? {} : { "X-Registry-Auth": auth }
}

export function loginToRegistry(client: Client, auth: AuthConfig): Promise<AuthResponse> {
  return client.json("POST", "/auth", { json: auth })
}

export function searchImages(
  client: Client,
  term: string,
  options: { readonly limit: number | undefined; readonly filters: Filters; readonly auth: string | undefined },
): Promise<SearchResult[]> {
  const { limit, filters, auth } = options
  return client.json("GET", "/images/search", {
    query: { term, limit, filters: filtersParameter(filters) },
    headers: authHeaders(auth),
  })
}
