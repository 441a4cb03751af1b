// Routes of Docker's API that this engine answers with a reason instead of an action: an engine outside of a swarm, without
// plugins, and what is not there yet.
import { DhowError, type ErrorKind } from "../../lib/errors.ts"
import { json } from "../http/reply.ts"
import { type Method, param, type Route } from "./call.ts"

const NOT_A_MANAGER =
  'This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to connect this node to swarm and try again.'

const SWARM: readonly (readonly [Method, string])[] = [
  ["GET", "/swarm"],
  ["GET", "/swarm/unlockkey"],
  ["POST", "/swarm/update"],
  ["POST", "/swarm/unlock"],
  ...["services", "secrets", "configs"].flatMap(
    (noun) =>
      [
        ["GET", `/${noun}`],
        ["GET", `/${noun}/:id`],
        ["POST", `/${noun}/create`],
        ["POST", `/${noun}/:id/update`],
        ["DELETE", `/${noun}/:id`],
      ] as const,
  ),
  ["GET", "/services/:id/logs"],
  ["GET", "/nodes"],
  ["GET", "/nodes/:id"],
  ["POST", "/nodes/:id/update"],
  ["DELETE", "/nodes/:id"],
  ["GET", "/tasks"],
  ["GET", "/tasks/:id"],
  ["GET", "/tasks/:id/logs"],
]

const MISSING: readonly (readonly [Method, string, what: string])[] = [
  ["POST", "/swarm/init", "Swarm mode is not supported"],
  ["POST", "/swarm/join", "Swarm mode is not supported"],
  ["POST", "/build", "Building images is not supported yet"],
  ["POST", "/build/cancel", "Building images is not supported yet"],
  ["POST", "/networks/create", "Creating networks is not supported yet"],
  ["POST", "/networks/:id/connect", "Connecting a container to a network is not supported yet"],
  ["POST", "/networks/:id/disconnect", "Disconnecting a container from a network is not supported yet"],
  ["DELETE", "/networks/*id", "Removing networks is not supported yet"],
  ["POST", "/plugins/pull", "Plugins are not supported"],
  ["POST", "/plugins/create", "Plugins are not supported"],
  ["PUT", "/volumes/:name", "Cluster volumes are not supported"],
]

export function notOfferedRoutes(): Route[] {
  return [
    ...SWARM.map(([method, pattern]) => refusal(method, pattern, ["unavailable", NOT_A_MANAGER])),
    refusal("POST", "/swarm/leave", ["unavailable", "This node is not part of a swarm"]),
    ...MISSING.map(([method, pattern, what]) => refusal(method, pattern, ["not-implemented", what])),
    ["GET", "/plugins", () => json(200, [])],
    ["GET", "/plugins/privileges", () => json(200, [])],
    ...plugin("GET", "/plugins/*name/json"),
    ...plugin("DELETE", "/plugins/*name"),
    ...["enable", "disable", "push", "upgrade", "set"].flatMap((verb) => plugin("POST", `/plugins/*name/${verb}`)),
    // There is no build cache that could be pruned.
    [
      "POST",
      "/build/prune",
      ({ query }) => {
        query.filters()
        return json(200, { CachesDeleted: null, SpaceReclaimed: 0 })
      },
    ],
  ]
}

function refusal(method: Method, pattern: string, [kind, message]: readonly [ErrorKind, string]): Route {
  return [
    method,
    pattern,
    () => {
      throw new DhowError(kind, message)
    },
  ]
}

function plugin(method: Method, pattern: string): Route[] {
  return [
    [
      method,
      pattern,
      (call) => {
        throw new DhowError("not-found", `plugin "${param(call, "name")}" not found`)
      },
    ],
  ]
}
