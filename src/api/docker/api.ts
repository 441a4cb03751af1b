// The Docker Engine API over an Engine: one route table, built once. Routes translate; the engine decides.
import type { Engine } from "../../engine/contract.ts"
import { platformRoutes } from "../dhow/platforms.ts"
import { dhowRoutes } from "../dhow/routes.ts"
import { type Handler, json } from "../http/reply.ts"
import { Router } from "../http/router.ts"
import type { Route } from "./call.ts"
import { containerRoutes } from "./containers.ts"
import { errorReply, plainErrorReply } from "./error-reply.ts"
import { eventRoutes } from "./events.ts"
import { execRoutes } from "./execs.ts"
import { imageRoutes } from "./images.ts"
import { networkRoutes } from "./networks.ts"
import { notOfferedRoutes } from "./not-offered.ts"
import { pluginRoutes } from "./plugins.ts"
import { Query } from "./query.ts"
import { registryRoutes } from "./registries.ts"
import { swarmRoutes } from "./swarm.ts"
import { systemRoutes } from "./system.ts"
import { API_VERSION, checkVersion, isBeforeJson, splitVersion } from "./version.ts"
import { volumeRoutes } from "./volumes.ts"

/** `more` are routes that Docker does not have. */
export function dockerApi(engine: Engine, more: readonly Route[] = []): Handler {
  const router = new Router<Route[2]>()
  const routes = [
    ...systemRoutes(engine),
    ...eventRoutes(engine.events),
    ...containerRoutes(engine.containers),
    ...execRoutes(engine.execs),
    ...imageRoutes(engine.images),
    ...registryRoutes(engine.registries),
    ...networkRoutes(engine.networks, engine.containers),
    ...volumeRoutes(engine.volumes),
    ...dhowRoutes(engine),
    ...platformRoutes(engine.platforms),
    ...pluginRoutes(),
    ...swarmRoutes(),
    ...notOfferedRoutes(),
    ...more,
  ]
  for (const [method, pattern, handle] of routes) router.add(method, pattern, handle)

  return async (request) => {
    const { version, rest } = splitVersion(request.path)
    try {
      const found = router.match(request.method, rest)
      if (found === undefined) return json(404, { message: "page not found" })
      const api = checkVersion(version)
      return await found.target({ request, params: found.params, query: new Query(request.query), api })
    } catch (error) {
      return isBeforeJson(version) ? plainErrorReply(error) : errorReply(error, request)
    }
  }
}

/** Header lines that every answer of the engine carries. */
export function commonHeaders(version: string): string {
  return `Api-Version: ${API_VERSION}\r\nDocker-Experimental: false\r\nOstype: linux\r\nServer: dhow/${version} (linux)\r\n`
}
