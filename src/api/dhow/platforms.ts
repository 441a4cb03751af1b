// /dhow/platforms: what this host runs, and emulators for what it does not. Platforms are named by ?platform=, repeatedly.
import type { Platforms } from "../../engine/contract.ts"
import { DhowError } from "../../lib/errors.ts"
import type { Route } from "../docker/call.ts"
import { json } from "../http/reply.ts"

export function platformRoutes(platforms: Platforms): Route[] {
  return [
    ["GET", "/dhow/platforms", async () => json(200, await platforms.list())],
    [
      "POST",
      "/dhow/platforms/install",
      async ({ query }) => json(200, await platforms.install(query.platforms("platform"))),
    ],
    [
      "POST",
      "/dhow/platforms/remove",
      async ({ query }) => {
        const wanted = query.platforms("platform")
        if (wanted.length === 0) throw new DhowError("invalid", "No platform is named")
        return json(200, await platforms.remove(wanted))
      },
    ],
  ]
}
