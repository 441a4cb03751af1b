// POST /containers/{id}/wait: the head goes out at once, so that a client knows its wait has begun before it starts the
// container; the body follows when the condition holds.
import type { Containers, WaitCondition } from "../../engine/contract.ts"
import { DhowError } from "../../lib/errors.ts"
import { json, type Reply, streamed } from "../http/reply.ts"
import { type Call, param } from "./call.ts"

export async function wait(containers: Containers, call: Call): Promise<Reply> {
  // Before 1.30 there was one condition, and the head came with the body.
  const legacy = call.api < 30
  const condition = legacy ? "not-running" : parseCondition(call.query.text("condition"))
  const { result } = await containers.wait(param(call, "name"), condition, call.request.signal)
  if (legacy) return json(200, await result)
  // Until the body is asked for nobody listens to the result: a failure must not count as unhandled meanwhile.
  result.catch(() => {})
  return streamed("application/json", async (out) => {
    out.write(`${JSON.stringify(await result)}\n`)
  })
}

function parseCondition(text: string): WaitCondition {
  if (text === "") return "not-running"
  if (text === "not-running" || text === "next-exit" || text === "removed") return text
  throw new DhowError("invalid", `invalid condition: ${JSON.stringify(text)}`)
}
