// /dhow/registry: the registry server as its owner sees it. Its clients are served by src/api/registry.
import * as v from "valibot"
import { parseRepositoryName, parseTarget } from "../../engine/registry/names.ts"
import type { Registry } from "../../engine/registry/registry.ts"
import { DhowError } from "../../lib/errors.ts"
import type { RegistryListener } from "../../wire/registry-server.ts"
import type { Call, Route } from "../docker/call.ts"
import { param } from "../docker/call.ts"
import { readJson } from "../docker/json-body.ts"
import { empty, json, type Reply } from "../http/reply.ts"
import type { RegistryListeners } from "../registry/listeners.ts"

const seconds = v.pipe(v.number(), v.minValue(0))
const count = v.pipe(v.number(), v.integer(), v.minValue(0))

const LISTENER = v.strictObject({
  address: v.string(),
  tls: v.exactOptional(v.strictObject({ cert: v.string(), key: v.string() })),
  htpasswd: v.exactOptional(v.string()),
  anonymousPull: v.exactOptional(v.boolean()),
  readOnly: v.exactOptional(v.boolean()),
  insecure: v.exactOptional(v.boolean()),
  localImages: v.exactOptional(v.boolean()),
  proxies: v.exactOptional(v.array(v.strictObject({ prefix: v.string(), upstream: v.string() }))),
})

const RETENTION = v.strictObject({
  pattern: v.pipe(v.string(), v.regex(/^[a-z0-9*._/-]{1,255}$/)),
  keepLast: v.exactOptional(count),
  maxAge: v.exactOptional(seconds),
  unusedFor: v.exactOptional(seconds),
})

const GC = v.strictObject({
  dryRun: v.exactOptional(v.boolean()),
  untagged: v.exactOptional(v.boolean()),
  grace: v.exactOptional(seconds),
})

export function registryServerRoutes(registry: Registry, listeners: RegistryListeners): Route[] {
  return [
    ["GET", "/dhow/registry", () => json(200, listeners.status())],
    ["POST", "/dhow/registry/listeners", async (call) => json(201, await serve(listeners, call))],
    [
      "DELETE",
      "/dhow/registry/listeners/:address",
      (call) => {
        listeners.close(param(call, "address"))
        return empty(204)
      },
    ],
    ["GET", "/dhow/registry/repositories", () => json(200, registry.repositories())],
    [
      "GET",
      "/dhow/registry/tags/*name",
      async (call) => json(200, await registry.tags(parseRepositoryName(param(call, "name")))),
    ],
    ["DELETE", "/dhow/registry/repositories/*target", (call) => remove(registry, call)],
    ["POST", "/dhow/registry/gc", async ({ request }) => json(200, await registry.gc(await readJson(request, GC)))],
    ["GET", "/dhow/registry/retention", () => json(200, registry.retention.all())],
    ["POST", "/dhow/registry/retention", (call) => retain(registry, call)],
    ["DELETE", "/dhow/registry/retention/*pattern", (call) => forget(registry, call)],
  ]
}

function serve(listeners: RegistryListeners, { request }: Call) {
  return readJson(request, LISTENER, { required: true }).then((listener: RegistryListener) => listeners.serve(listener))
}

function remove(registry: Registry, call: Call): Reply {
  const { name, reference } = parseTarget(param(call, "target"))
  if (reference === undefined) registry.removeRepository(name)
  else registry.removeManifest(name, reference)
  return empty(204)
}

async function retain(registry: Registry, { request }: Call): Promise<Reply> {
  const policy = await readJson(request, RETENTION, { required: true })
  if (policy.keepLast === undefined && policy.maxAge === undefined && policy.unusedFor === undefined)
    throw new DhowError("invalid", `The retention of "${policy.pattern}" says nothing`)
  registry.retention.put(policy)
  return empty(204)
}

function forget(registry: Registry, call: Call): Reply {
  const pattern = param(call, "pattern")
  if (!registry.retention.remove(pattern)) throw new DhowError("not-found", `There is no retention for "${pattern}"`)
  return empty(204)
}
