// /dhow/config: what holds and who said so; reading the files again; changing dhow's own file. ?dry-run=1 changes nothing.
import * as v from "valibot"
import type { Configuration } from "../../engine/contract.ts"
import type { Route } from "../docker/call.ts"
import { readJson } from "../docker/json-body.ts"
import { json } from "../http/reply.ts"

const Edit = v.object({
  Set: v.exactOptional(v.record(v.string(), v.unknown())),
  Unset: v.exactOptional(v.array(v.string())),
})

export function configRoutes(config: Configuration): Route[] {
  return [
    ["GET", "/dhow/config", () => json(200, config.report())],
    [
      "POST",
      "/dhow/config/reload",
      async ({ query }) => json(200, await config.reload({ dryRun: query.bool("dry-run") })),
    ],
    [
      "POST",
      "/dhow/config",
      async ({ query, request }) =>
        json(200, await config.edit(await readJson(request, Edit), { dryRun: query.bool("dry-run") })),
    ],
  ]
}
