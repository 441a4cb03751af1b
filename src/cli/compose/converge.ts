// Makes the containers of services be as the project says, without starting any: what `up`, `create` and `scale` share.
import { removeContainer, renameContainer, stopContainer } from "../../client/containers.ts"
import { containerName } from "../../compose/labels.ts"
import type { Project, Service } from "../../compose/model.ts"
import { eachInOrder } from "../../compose/order.ts"
import { decide, type Observed, type ObservedContainer, orphansOf, type Recreate } from "../../compose/plan.ts"
import { resolveReferences } from "../../compose/references.ts"
import { type Making, makeContainer, recreateContainer } from "./create.ts"
import type { ImageIds } from "./images.ts"
import { isRollable, type Roll } from "./rolling.ts"
import type { Session } from "./session.ts"

export type ConvergeOptions = {
  readonly images: ImageIds
  readonly observed: Observed
  /** Services in question; others stay as they are. */
  readonly names: readonly string[]
  readonly recreate: Recreate
  /** Of services that were not named but are needed. */
  readonly recreateDependencies: Recreate
  readonly asked: readonly string[]
  readonly inherit: boolean
  readonly timeout: number | undefined
  readonly rolling: boolean
}

/** Containers that are replaced once their successors run, by service. */
export type Rolls = ReadonlyMap<string, readonly Roll[]>

export async function converge(session: Session, options: ConvergeOptions): Promise<Rolls> {
  const { project } = session
  const current = new Map<string, { readonly id: string; readonly name: string }[]>()
  for (const container of options.observed.containers.filter(({ isOneOff }) => !isOneOff))
    current.set(container.service, [...(current.get(container.service) ?? []), container])
  const rolls = new Map<string, readonly Roll[]>()
  const stopped = new Set<string>()
  await eachInOrder(project, options.names, async (given) => {
    const service = resolveReferences(given, (name) => current.get(name)?.[0]?.id)
    const recreate = options.asked.includes(service.name) ? options.recreate : options.recreateDependencies
    const image = options.images.get(service.name)
    const making = (number: number): Making => ({ service, number, image, links: linksOf(project, service, current) })
    const decisions = decide(project, service, { observed: options.observed, recreate, image })
    const own: Roll[] = []
    const kept: { readonly id: string; readonly name: string }[] = []
    await Promise.all(
      decisions.map(async (decision) => {
        switch (decision.action) {
          case "create": {
            const name = containerName(project, service, decision.number)
            kept.push({ id: await makeContainer(session, making(decision.number)), name })
            return
          }
          case "recreate": {
            const { container } = decision
            if (options.rolling && container.state === "running" && isRollable(session, service)) {
              own.push({ old: container, making: making(container.number) })
              kept.push(container)
              return
            }
            await stopDependents(session, options.observed, service, stopped)
            const id = await recreateContainer(session, making(container.number), container, options)
            kept.push({ id, name: containerName(project, service, container.number) })
            return
          }
          case "keep":
            await finishRename(session, service, decision.container, options.observed)
            kept.push(decision.container)
            return
          case "remove":
            await stopAndRemove(session, decision.container, options.timeout)
            return
        }
      }),
    )
    current.set(service.name, kept)
    if (own.length > 0) rolls.set(service.name, own)
  })
  return rolls
}

/** A kill between two steps may have left a successor under its temporary name. */
async function finishRename(
  { client, project }: Session,
  service: Service,
  container: ObservedContainer,
  observed: Observed,
): Promise<void> {
  const name = containerName(project, service, container.number)
  if (!/^[0-9a-f]{12}_/.test(container.name) || observed.containers.some((other) => other.name === name)) return
  await renameContainer(client, container.id, name)
}

/** "restart: true": who depends on it starts again after it. */
async function stopDependents(
  { client, project, progress }: Session,
  observed: Observed,
  service: Service,
  stopped: Set<string>,
): Promise<void> {
  const names = Object.values(project.services).filter((other) => other.depends_on?.[service.name]?.restart === true)
  const containers = observed.containers.filter(
    (one) => one.state === "running" && !one.isOneOff && names.some(({ name }) => name === one.service),
  )
  for (const container of containers) {
    if (stopped.has(container.id)) continue
    stopped.add(container.id)
    await progress.around("Container", container.name, ["Stopping", "Stopped"], () =>
      stopContainer(client, container.id),
    )
  }
}

export async function stopAndRemove(
  { client, progress }: Pick<Session, "client" | "progress">,
  container: { readonly id: string; readonly name: string },
  timeout?: number,
  { volumes = false }: { readonly volumes?: boolean } = {},
): Promise<void> {
  await progress.around("Container", container.name, ["Stopping", "Stopped"], () =>
    stopContainer(client, container.id, { timeout }),
  )
  await progress.around("Container", container.name, ["Removing", "Removed"], () =>
    removeContainer(client, container.id, { force: true, volumes }),
  )
}

export function linksOf(
  project: Project,
  service: Service,
  current: ReadonlyMap<string, readonly { readonly name: string }[]>,
): string[] {
  const found: string[] = []
  for (const link of service.links ?? []) {
    const [name = "", alias = name] = link.split(":")
    for (const [index, container] of (current.get(name) ?? []).entries())
      found.push(
        `${container.name}:${alias}`,
        `${container.name}:${name}-${index + 1}`,
        `${container.name}:${project.name}-${name}-${index + 1}`,
      )
  }
  for (const link of service.external_links ?? []) {
    const [name = "", alias = name] = link.split(":")
    found.push(`${name}:${alias}`)
  }
  return [...new Set(found)]
}

/** Removed where it is asked for, and else told of. */
export async function treatOrphans(
  session: Session,
  observed: Observed,
  { remove, ignore }: { readonly remove: boolean; readonly ignore: boolean },
): Promise<void> {
  const orphans = orphansOf(session.project, observed)
  if (orphans.length === 0 || (ignore && !remove)) return
  if (remove) {
    await Promise.all(orphans.map((orphan) => stopAndRemove(session, orphan)))
    return
  }
  session.progress.warn(
    `Found orphan containers (${orphans.map(({ name }) => name).join(", ")}) for this project. If you removed or renamed this service in your compose file, you can run this command with the --remove-orphans flag to clean it up.`,
  )
}
