// GET /events: a JSON line per event, from the past on request and then as they happen.
import type { Events } from "../../engine/contract.ts"
import { DhowError } from "../../lib/errors.ts"
import { type Reply, streamed } from "../http/reply.ts"
import type { Call, Route } from "./call.ts"

export function eventRoutes(events: Events): Route[] {
  return [["GET", "/events", (call) => follow(events, call)]]
}

function follow(events: Events, { query, api, request }: Call): Reply {
  const since = query.time("since")
  const until = query.time("until")
  if (since !== undefined && until !== undefined && until < since)
    throw new DhowError(
      "invalid",
      `\`since\` time (${query.text("since")}) cannot be after \`until\` time (${query.text("until")})`,
    )
  const messages = events.subscribe({
    filters: query.filters(),
    signal: request.signal,
    ...(since === undefined ? {} : { since }),
    ...(until === undefined ? {} : { until }),
  })
  return streamed("application/json", async (out) => {
    for await (const message of messages) {
      // Image create events came with 1.46.
      if (api < 46 && message.Type === "image" && message.Action === "create") continue
      if (!out.write(`${JSON.stringify(message)}\n`)) await out.drained()
    }
  })
}
