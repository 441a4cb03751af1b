// What dhow offers beside Docker's API, under /dhow/: routes that translate, as those of Docker do.
import type { Engine } from "../../engine/contract.ts"
import type { Route } from "../docker/call.ts"
import { json } from "../http/reply.ts"
import { configRoutes } from "./config.ts"
import { exitRoutes } from "./exits.ts"
import { fsck } from "./fsck.ts"
import { imageContentRoutes } from "./image-contents.ts"
import { logRoutes } from "./logs.ts"
import { manifestRoutes } from "./manifests.ts"
import { nameRoutes } from "./names.ts"
import { volumeWorkRoutes } from "./volumes.ts"

export function dhowRoutes({
  config,
  images,
  contents,
  exits,
  logs,
  manifests,
  names,
  networks,
  system,
  volumeWork,
}: Engine): Route[] {
  return [
    ["GET", "/dhow/images/prune", async (call) => json(200, await images.prunePlan(call.query.filters()))],
    [
      "GET",
      "/dhow/networks/map",
      async (call) => json(200, await networks.map(references(call.query.text("network")))),
    ],
    ["GET", "/dhow/disk", async () => json(200, await system.diskMap())],
    ["GET", "/dhow/gc", async () => json(200, await images.gcStatus())],
    ["POST", "/dhow/gc", async () => json(200, await images.gc())],
    ["POST", "/dhow/fsck", (call) => fsck(system, call)],
    ...exitRoutes(exits),
    ...logRoutes(logs),
    ...configRoutes(config),
    ...manifestRoutes(manifests),
    ...imageContentRoutes(contents),
    ...nameRoutes(names),
    ...volumeWorkRoutes(volumeWork),
  ]
}

/** "a,b" */
function references(text: string): string[] {
  return text.split(",").filter((reference) => reference !== "")
}
