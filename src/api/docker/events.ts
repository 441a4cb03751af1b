// GET /events: a JSON line per event, from the past on request and then as they happen.
import type { Events } from "../../engine/contract.ts"
import { DhowError } from "../../lib/errors.ts"
import type { EventMessage } from "../../wire/system.ts"
import { type Reply, streamed } from "../http/reply.ts"
import type { Call, Route } from "./call.ts"

const JSON_TYPES = ["application/jsonl", "application/x-ndjson", "application/json-seq"] as const

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
  const type = wantedType(request) ?? (api < 52 ? "application/json" : JSON_TYPES[0])
  // Records of a JSON text sequence begin with a sign of their own.
  const begin = type === "application/json-seq" ? "\x1e" : ""
  return streamed(type, async (out) => {
    for await (const message of messages) {
      // Image create events came with 1.46.
      if (api < 46 && message.Type === "image" && message.Action === "create") continue
      if (!out.write(`${begin}${JSON.stringify(api < 52 ? message : withoutOld(message))}\n`)) await out.drained()
    }
  })
}

/** The first of the types that the client names; wildcards name none. */
function wantedType({ headers }: Call["request"]): (typeof JSON_TYPES)[number] | undefined {
  const accepted = (headers.get("accept") ?? "").split(",").map((part) => part.split(";", 1)[0]!.trim().toLowerCase())
  for (const type of accepted) {
    const found = JSON_TYPES.find((known) => known === type)
    if (found !== undefined) return found
  }
  return undefined
}

/** Fields from before the actor was told apart, which 1.52 took out. */
function withoutOld({ status: _status, id: _id, from: _from, ...message }: EventMessage): EventMessage {
  return message
}
