// /networks.
import type { Networks } from "../../engine/contract.ts"
import { DhowError } from "../../lib/errors.ts"
import { json, type Reply } from "../http/reply.ts"
import { type Call, param, type Route } from "./call.ts"

export function networkRoutes(networks: Networks): Route[] {
  const list = async (call: Call) => json(200, await networks.list(call.query.filters()))
  return [
    ["GET", "/networks", list],
    ["GET", "/networks/", list],
    ["GET", "/networks/*id", (call) => inspect(networks, call)],
    ["POST", "/networks/prune", async (call) => json(200, await networks.prune(call.query.filters()))],
  ]
}

async function inspect(networks: Networks, call: Call): Promise<Reply> {
  const { query } = call
  // What it adds is of networks that span a swarm.
  checkVerbose(query.text("verbose"))
  const id = param(call, "id")
  const network = await networks.inspect(id)
  const scope = query.optional("scope")
  if (scope !== undefined && scope !== network.Scope) throw new DhowError("not-found", `network ${id} not found`)
  return json(200, network)
}

/** The only parameter that Docker reads as Go's own flags are read. */
function checkVerbose(text: string): void {
  if (/^(|1|t|T|TRUE|true|True|0|f|F|FALSE|false|False)$/.test(text)) return
  throw new DhowError(
    "invalid",
    `invalid value for verbose: ${text}: strconv.ParseBool: parsing ${JSON.stringify(text)}: invalid syntax`,
  )
}
