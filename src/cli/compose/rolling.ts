// Replaces a container without a gap: the successor starts and becomes healthy first, and only then the older one stops.
// A successor that fails is removed, and the older one goes on.
import {
  inspectContainer,
  removeContainer,
  renameContainer,
  startContainer,
  stopContainer,
} from "../../client/containers.ts"
import { containerName } from "../../compose/labels.ts"
import type { Project, Service } from "../../compose/model.ts"
import type { ObservedContainer } from "../../compose/plan.ts"
import { DhowError } from "../../lib/errors.ts"
import { type Making, makeSuccessor } from "./create.ts"
import { runHooks } from "./hooks.ts"
import { injectFiles } from "./inject.ts"
import type { Session } from "./session.ts"
import { waitUntil } from "./waiting.ts"

export type Roll = { readonly old: ObservedContainer; readonly making: Making }

/** Without a health check, a container that ends this soon is taken for broken. */
const SETTLING = 1000

/** What only one container can have stands in the way: said, and done in the usual order. */
export function isRollable({ project, progress }: Session, service: Service): boolean {
  const hindrance = hindranceOf(service) ?? sharedWith(project, service.name)
  if (hindrance === undefined) return true
  progress.warn(`service "${service.name}" ${hindrance}: its container stops before the new one starts`)
  return false
}

/** Who lives in its namespaces would lose them with it. */
function sharedWith(project: Project, name: string): string | undefined {
  const other = Object.values(project.services).find(({ network_mode, ipc, pid }) =>
    [network_mode, ipc, pid].includes(`service:${name}`),
  )
  return other === undefined ? undefined : `shares a namespace with "${other.name}"`
}

function hindranceOf(service: Service): string | undefined {
  if (service.container_name !== undefined) return "has a container_name"
  const fixed = service.ports?.find(
    ({ published }) => published !== undefined && published !== "0" && !published.includes("-"),
  )
  if (fixed !== undefined) return `publishes port ${fixed.published}`
  if (service.network_mode === "host") return "has the host's network"
  const address = Object.values(service.networks ?? {}).find(
    (network) => network?.ipv4_address ?? network?.ipv6_address,
  )
  return address === undefined ? undefined : "has a fixed address"
}

export async function roll(
  session: Session,
  service: Service,
  { old, making }: Roll,
  { timeout }: { readonly timeout?: number | undefined },
): Promise<void> {
  const { client, project, progress } = session
  const name = containerName(project, service, making.number)
  progress.step("Container", old.name, "Replacing")
  const id = await makeSuccessor(session, making, old, { inherit: true })
  try {
    await injectFiles(session, service, id)
    await startContainer(client, id)
    await runHooks(session, { id, name }, service.post_start ?? [])
    const { Config } = await inspectContainer(client, id)
    const hasCheck = (Config.Healthcheck?.Test?.length ?? 0) > 0 && Config.Healthcheck?.Test?.[0] !== "NONE"
    if (!hasCheck) await Bun.sleep(SETTLING)
    await waitUntil([{ id, name: `for ${name}`, service: service.name }], "running_or_healthy", { client })
  } catch (error) {
    await removeContainer(client, id, { force: true })
    progress.step("Container", old.name, "Kept")
    const said = error instanceof Error ? error.message : String(error)
    throw new DhowError("unavailable", `Cannot replace "${old.name}": ${said}`, {
      cause: error,
      hint: "The container that was there goes on",
    })
  }
  progress.step("Container", name, "Healthy")
  await runHooks(session, old, service.pre_stop ?? [])
  await stopContainer(client, old.id, { timeout })
  await removeContainer(client, old.id)
  await renameContainer(client, id, name)
  progress.step("Container", name, "Replaced")
}
