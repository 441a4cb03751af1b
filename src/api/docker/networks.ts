// /networks.
import type { Networks } from "../../engine/contract.ts"
import { json } from "../http/reply.ts"
import { type Call, param, type Route } from "./call.ts"

export function networkRoutes(networks: Networks): Route[] {
  const list = async (call: Call) => json(200, await networks.list(call.query.filters()))
  return [
    ["GET", "/networks", list],
    ["GET", "/networks/", list],
    ["GET", "/networks/*id", async (call) => json(200, await networks.inspect(param(call, "id")))],
    ["POST", "/networks/prune", async (call) => json(200, await networks.prune(call.query.filters()))],
  ]
}
