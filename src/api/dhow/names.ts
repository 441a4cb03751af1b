// /dhow/networks/resolve and /dhow/networks/failures: what names are answered with, and why not.
import type { NameService } from "../../engine/contract/names.ts"
import type { Route } from "../docker/call.ts"
import { json } from "../http/reply.ts"

export function nameRoutes(names: NameService): Route[] {
  return [
    [
      "GET",
      "/dhow/networks/resolve",
      async ({ query }) =>
        json(200, await names.resolve(query.optional("container") ?? "", query.optional("name") ?? "")),
    ],
    ["GET", "/dhow/networks/failures", async () => json(200, await names.failures())],
  ]
}
