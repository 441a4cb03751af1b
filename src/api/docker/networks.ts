// /networks.
import type { Containers, Networks } from "../../engine/contract.ts"
import { DhowError } from "../../lib/errors.ts"
import { empty, json, type Reply } from "../http/reply.ts"
import { type Call, param, type Route } from "./call.ts"
import { readJson } from "./json-body.ts"
import { networkConnectRequest, networkCreateRequest, networkDisconnectRequest } from "./schema/networks.ts"

export function networkRoutes(networks: Networks, containers: Containers): Route[] {
  const list = async (call: Call) => json(200, await networks.list(call.query.filters()))
  return [
    ["GET", "/networks", list],
    ["GET", "/networks/", list],
    ["GET", "/networks/*id", (call) => inspect(networks, call)],
    ["POST", "/networks/create", (call) => create(networks, call)],
    ["POST", "/networks/*id/connect", (call) => connect(containers, call)],
    ["POST", "/networks/*id/disconnect", (call) => disconnect(containers, call)],
    ["DELETE", "/networks/*id", (call) => remove(networks, call)],
    ["POST", "/networks/prune", async (call) => json(200, await networks.prune(call.query.filters()))],
  ]
}

async function create(networks: Networks, { request, api }: Call): Promise<Reply> {
  const body = await readJson(request, networkCreateRequest, { required: true })
  const { EnableIPv4: ipv4, ...before } = body
  return json(201, await networks.create(api < 48 || ipv4 === undefined ? before : body))
}

async function remove(networks: Networks, call: Call): Promise<Reply> {
  await networks.remove(param(call, "id"))
  return empty(204)
}

async function connect(containers: Containers, call: Call): Promise<Reply> {
  const { Container = "", EndpointConfig } = await readJson(call.request, networkConnectRequest, { required: true })
  await containers.connect(Container, param(call, "id"), EndpointConfig ?? {})
  return empty(200)
}

async function disconnect(containers: Containers, call: Call): Promise<Reply> {
  const { Container = "", Force } = await readJson(call.request, networkDisconnectRequest, { required: true })
  await containers.disconnect(Container, param(call, "id"), { force: Force ?? false })
  return empty(200)
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
