// /volumes.
import type { Volumes } from "../../engine/contract.ts"
import { empty, json, type Reply } from "../http/reply.ts"
import { type Call, param, type Route } from "./call.ts"
import { readJson } from "./json-body.ts"
import { volumeCreateRequest } from "./schema/requests.ts"
import { notAManager } from "./swarm.ts"

export function volumeRoutes(volumes: Volumes): Route[] {
  return [
    [
      "GET",
      "/volumes",
      async (call) => json(200, { Volumes: await volumes.list(call.query.filters()), Warnings: null }),
    ],
    ["GET", "/volumes/:name", async (call) => json(200, await volumes.inspect(param(call, "name")))],
    ["POST", "/volumes/create", (call) => create(volumes, call)],
    ["POST", "/volumes/prune", (call) => prune(volumes, call)],
    [
      "DELETE",
      "/volumes/:name",
      async (call) => {
        await volumes.remove(param(call, "name"), { force: call.query.bool("force") })
        return empty(204)
      },
    ],
  ]
}

async function create(volumes: Volumes, { request, api }: Call): Promise<Reply> {
  const { Name, Driver, DriverOpts, Labels, ClusterVolumeSpec } = await readJson(request, volumeCreateRequest)
  // Volumes of a cluster came with 1.42, and need one.
  if (ClusterVolumeSpec !== undefined && api >= 42) throw notAManager()
  const volume = await volumes.create({
    ...(Name ? { name: Name } : {}),
    ...(Driver ? { driver: Driver } : {}),
    ...(DriverOpts === undefined ? {} : { options: DriverOpts }),
    ...(Labels === undefined ? {} : { labels: Labels }),
  })
  return json(201, volume)
}

async function prune(volumes: Volumes, { query, api }: Call): Promise<Reply> {
  const filters = new Map(query.filters())
  // Since 1.42 only volumes without a name are pruned unless all are asked for.
  if (api < 42) filters.set("all", ["true"])
  return json(200, await volumes.prune(filters))
}
