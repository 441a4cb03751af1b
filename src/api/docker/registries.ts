// What asks other registries and moves no image: /auth, /images/search and /distribution.
import type { RegistryAccess } from "../../engine/contract.ts"
import { DhowError } from "../../lib/errors.ts"
import { json, type Reply } from "../http/reply.ts"
import { type Call, param, type Route } from "./call.ts"
import { authOf } from "./image-transfer.ts"
import { readJson } from "./json-body.ts"
import { authRequest } from "./schema/requests.ts"

export function registryRoutes(registries: RegistryAccess): Route[] {
  return [
    ["POST", "/auth", (call) => login(registries, call)],
    ["GET", "/images/search", (call) => search(registries, call)],
    [
      "GET",
      "/distribution/*name/json",
      async (call) => {
        const options = { ...authOf(call.request), signal: call.request.signal }
        return json(200, await registries.distribution(param(call, "name"), options))
      },
    ],
  ]
}

async function login(registries: RegistryAccess, { request }: Call): Promise<Reply> {
  const auth = await readJson(request, authRequest, { required: true })
  return json(200, await registries.login(auth, { signal: request.signal }))
}

async function search(registries: RegistryAccess, { query, request }: Call): Promise<Reply> {
  const limit = query.integer("limit")
  if (limit !== undefined && limit < 0) throw new DhowError("invalid", "invalid limit specified")
  const found = await registries.search(query.text("term"), {
    filters: query.filters(),
    signal: request.signal,
    ...authOf(request),
    ...(limit === undefined ? {} : { limit }),
  })
  return json(200, found)
}
