// What asks other registries and moves no image: /auth.
import type { RegistryAccess } from "../../engine/contract.ts"
import { json } from "../http/reply.ts"
import type { Route } from "./call.ts"
import { readJson } from "./json-body.ts"
import { authRequest } from "./schema/requests.ts"

export function registryRoutes(registries: RegistryAccess): Route[] {
  return [
    [
      "POST",
      "/auth",
      async ({ request }) => {
        const auth = await readJson(request, authRequest, { required: true })
        return json(200, await registries.login(auth, { signal: request.signal }))
      },
    ],
  ]
}
