// /dhow/exits and /dhow/containers/{id}/why: how containers ended.
import type { Exits } from "../../engine/contract/exits.ts"
import { parseTimestamp } from "../../lib/timestamp.ts"
import { param, type Route } from "../docker/call.ts"
import { json } from "../http/reply.ts"

export function exitRoutes(exits: Exits): Route[] {
  return [
    ["GET", "/dhow/containers/:name/why", async (call) => json(200, await exits.why(param(call, "name")))],
    ["GET", "/dhow/containers/:name/exits", async (call) => json(200, await exits.of(param(call, "name")))],
    [
      "GET",
      "/dhow/exits",
      async ({ query }) => {
        const since = query.optional("since")
        return json(200, await exits.since(since === undefined ? 0 : parseTimestamp(since)))
      },
    ],
  ]
}
