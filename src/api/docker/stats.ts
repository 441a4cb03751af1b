// GET /containers/{id}/stats: a JSON line per reading.
import type { Containers } from "../../engine/contract.ts"
import { DhowError } from "../../lib/errors.ts"
import { type Reply, streamed } from "../http/reply.ts"
import { type Call, param } from "./call.ts"

export async function stats(containers: Containers, call: Call): Promise<Reply> {
  const { query, request } = call
  const stream = query.boolOr("stream", true)
  // The parameter came with 1.41.
  const oneShot = call.api >= 41 && query.bool("one-shot")
  if (stream && oneShot) throw new DhowError("invalid", "cannot have stream=true and one-shot=true")
  const readings = await containers.stats(param(call, "name"), { stream, oneShot, signal: request.signal })
  return streamed("application/json", async (out) => {
    for await (const reading of readings) {
      const shown = call.api >= 52 ? { ...reading, os_type: "linux" } : reading
      if (!out.write(`${JSON.stringify(shown)}\n`)) await out.drained()
    }
  })
}
