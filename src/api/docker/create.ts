// POST /containers/create.
import type { Containers } from "../../engine/contract.ts"
import { DhowError } from "../../lib/errors.ts"
import { json, type Reply } from "../http/reply.ts"
import type { Call } from "./call.ts"
import { compatibility } from "./compatibility.ts"
import { adaptCreate } from "./create-versions.ts"
import { readJson } from "./json-body.ts"
import { withoutKernelMemory } from "./kernel-memory.ts"
import { containerCreateRequest } from "./schema/requests.ts"

export async function create(containers: Containers, { request, query, api }: Call): Promise<Reply> {
  const { HostConfig, NetworkingConfig, ...config } = await readJson(request, containerCreateRequest, {
    required: true,
  })
  if (Object.keys(config).length === 0)
    throw new DhowError("invalid", "config cannot be empty in order to create a container")
  const { resources, warnings } = withoutKernelMemory(HostConfig ?? {}, api)
  const adapted = adaptCreate(
    { config, hostConfig: resources, endpoints: NetworkingConfig?.EndpointsConfig ?? {} },
    api,
  )
  const name = query.optional("name")
  // Older clients that send a platform never had an effect.
  const platform = api >= 41 ? query.platform() : undefined
  // dhow's own client leaves the choice of an init process to the engine.
  const init = request.headers.get("x-dhow-init") === "auto" ? { init: "auto" as const } : {}
  const systemd = systemdChoice(request.headers.get("x-dhow-systemd"))
  const created = await containers.create({
    ...init,
    ...(systemd === undefined ? {} : { systemd }),
    ...compatibility(request),
    ...(request.caller === undefined ? {} : { caller: request.caller }),
    ...(api < 44 ? { readOnlyNonRecursive: true } : {}),
    ...(name === undefined ? {} : { name }),
    ...(platform === undefined ? {} : { platform }),
    config: adapted.config,
    hostConfig: adapted.hostConfig,
    networkingConfig: { EndpointsConfig: adapted.endpoints },
  })
  return json(201, { Id: created.Id, Warnings: [...created.Warnings, ...adapted.warnings, ...warnings] })
}

function systemdChoice(text: string | undefined): "always" | "never" | undefined {
  if (text === undefined || text === "auto") return undefined
  if (text === "always" || text === "never") return text
  throw new DhowError("invalid", `invalid X-Dhow-Systemd "${text}": expected auto, always or never`)
}
