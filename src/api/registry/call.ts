// What a route of the registry gets, and where it is: methods and paths of the distribution-spec. A name may hold slashes,
// so the words behind it are looked for from the end.
import type { Registry } from "../../engine/registry/registry.ts"
import type { Source } from "../../engine/registry/source.ts"

export type Place = {
  readonly registry: Registry
  readonly source: Source
}

export type RegistryCall = Place & {
  readonly request: Request
  readonly query: URLSearchParams
  /** What the client calls this registry. */
  readonly host: string
  /** Of the path, decoded, not yet checked. */
  readonly name: string
  /** Tag, digest or upload; "" for lists. */
  readonly reference: string
  /** The request's body, counted. */
  readonly body: AsyncIterable<Uint8Array>
}

export type RegistryHandler = (call: RegistryCall) => Response | Promise<Response>
export type RegistryRoute = {
  readonly path: RegExp
  /** For the metrics: "blobs", "manifests". */
  readonly label: string
  readonly methods: Readonly<Partial<Record<string, RegistryHandler>>>
}

export function empty(status: number, headers: Readonly<Record<string, string>>): Response {
  return new Response(null, { status, headers: { "Content-Length": "0", ...headers } })
}

export function jsonResponse(value: unknown, headers: Readonly<Record<string, string>> = {}): Response {
  return new Response(JSON.stringify(value), { headers: { "Content-Type": "application/json", ...headers } })
}

/** A whole number of the query that says how many; undefined where it says nothing. */
export function countOf(text: string | null): number | undefined {
  return text !== null && /^\d{1,9}$/.test(text) ? Number(text) : undefined
}
