// What a route gets: the request with its path parameters, query and API version; and how it names itself in the table.
import type { HttpRequest, Reply } from "../http/reply.ts"
import type { Params } from "../http/router.ts"
import type { Query } from "./query.ts"

export type Call = {
  readonly request: HttpRequest
  readonly params: Params
  readonly query: Query
  /** The minor number of the API version: 51 for v1.51. Clients that name none get that of Docker 28. */
  readonly api: number
}

export type Method = "GET" | "HEAD" | "POST" | "PUT" | "DELETE" | "OPTIONS"
export type Route = readonly [method: Method, pattern: string, handle: (call: Call) => Reply | Promise<Reply>]

/** A path parameter that the pattern of this route is known to have. */
export function param(call: Call, name: string): string {
  return call.params[name] ?? ""
}
