// /_ping, /version, /info and /system/df.
import type { Engine } from "../../engine/contract.ts"
import { empty, json } from "../http/reply.ts"
import type { Route } from "./call.ts"
import { diskUsage } from "./disk-usage.ts"
import { infoAt } from "./info-versions.ts"

const PING_HEADERS = {
  "Cache-Control": "no-cache, no-store, must-revalidate",
  Pragma: "no-cache",
  // Which builder `docker build` should use: 1 is the classic one of POST /build.
  "Builder-Version": "1",
  Swarm: "inactive",
  "Content-Type": "text/plain; charset=utf-8",
}

export function systemRoutes({ system }: Pick<Engine, "system">): Route[] {
  return [
    ["OPTIONS", "/", () => empty(200)],
    ["OPTIONS", "/*anyroute", () => empty(200)],
    ["GET", "/_ping", () => ({ kind: "whole", status: 200, headers: PING_HEADERS, body: "OK" })],
    ["HEAD", "/_ping", () => ({ kind: "whole", status: 200, headers: PING_HEADERS })],
    ["GET", "/version", async () => json(200, await system.version())],
    ["GET", "/info", async ({ api }) => json(200, infoAt(await system.info(), api))],
    ["GET", "/system/df", (call) => diskUsage(system, call)],
  ]
}
