// Routes of Docker's API that this engine answers with a reason instead of an action.
import { DhowError } from "../../lib/errors.ts"
import { json } from "../http/reply.ts"
import type { Method, Route } from "./call.ts"
import type { Query } from "./query.ts"
import { type Check, refusal } from "./refusal.ts"

/** What Docker says of its checkpoints, unless it was started for experiments. */
const EXPERIMENTAL =
  "This experimental feature is disabled by default. Start the Docker daemon in experimental mode in order to enable it."
const BUILD = "Building images is not supported yet"

const MISSING: readonly (readonly [Method, string, what: string, Check?])[] = [
  ["POST", "/build", BUILD],
  ["POST", "/build/cancel", BUILD],
  ["GET", "/containers/:name/checkpoints", EXPERIMENTAL],
  ["POST", "/containers/:name/checkpoints", EXPERIMENTAL],
  ["DELETE", "/containers/:name/checkpoints/:checkpoint", EXPERIMENTAL],
]

export function notOfferedRoutes(): Route[] {
  return [
    ...MISSING.map(([method, pattern, what, check]) => {
      return refusal(method, pattern, () => new DhowError("not-implemented", what), check)
    }),
    // There is no build cache that could be pruned.
    [
      "POST",
      "/build/prune",
      ({ query, api }) => {
        query.filters()
        for (const name of api >= 48 ? SPACES : ["keep-storage"]) checkBytes(query, name)
        return json(200, { CachesDeleted: null, SpaceReclaimed: 0 })
      },
    ],
  ]
}

const SPACES = ["reserved-space", "keep-storage", "max-used-space", "min-free-space"]

function checkBytes(query: Query, name: string): void {
  try {
    query.integer(name)
  } catch (cause) {
    throw new DhowError("invalid", `${name} is in bytes and expects an integer, got ${query.text(name)}`, { cause })
  }
}
