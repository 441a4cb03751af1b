// Starts the containers of services, each after what it depends on.
import { startContainer } from "../../client/containers.ts"
import type { Project, Service } from "../../compose/model.ts"
import { eachInOrder } from "../../compose/order.ts"
import type { ObservedContainer } from "../../compose/plan.ts"
import { DhowError } from "../../lib/errors.ts"
import type { Rolls } from "./converge.ts"
import { runHooks } from "./hooks.ts"
import { injectFiles } from "./inject.ts"
import { observeContainers } from "./observed.ts"
import { roll } from "./rolling.ts"
import type { Session } from "./session.ts"
import { type Condition, waitUntil } from "./waiting.ts"

export type StartOptions = {
  readonly names: readonly string[]
  readonly rolls?: Rolls
  readonly timeout?: number | undefined
  /** Called before a container starts. */
  readonly onStart?: (container: ObservedContainer) => Promise<void>
}

export async function startServices(session: Session, options: StartOptions): Promise<void> {
  const { client, project, progress } = session
  const containers = (await observeContainers(client, project.name)).filter(({ isOneOff }) => !isOneOff)
  // Starting at once would let two containers take the same port of a range.
  let last: Promise<unknown> = Promise.resolve()
  const inTurn = <T>(act: () => Promise<T>): Promise<T> => {
    const next = last.then(act, act)
    last = next.catch(() => {})
    return next
  }
  await eachInOrder(project, options.names, async (service) => {
    await waitForDependencies(session, service, containers)
    for (const container of containers.filter((one) => one.service === service.name)) {
      if (container.state === "running") {
        if (options.rolls?.get(service.name)?.some(({ old }) => old.id === container.id) !== true)
          progress.step("Container", container.name, "Running")
        continue
      }
      if (container.state === "paused" || container.state === "restarting") continue
      await injectFiles(session, service, container.id)
      await options.onStart?.(container)
      await progress.around("Container", container.name, ["Starting", "Started"], () =>
        inTurn(() => startContainer(client, container.id)),
      )
      await runHooks(session, container, service.post_start ?? [])
    }
    for (const one of options.rolls?.get(service.name) ?? []) await roll(session, service, one, options)
  })
}

async function waitForDependencies(
  { client, project, progress }: Session,
  service: Service,
  containers: readonly ObservedContainer[],
): Promise<void> {
  await Promise.all(
    Object.entries(service.depends_on ?? {}).map(async ([name, { condition, required }]) => {
      const dependency = project.services[name]
      if (condition === "service_started" || dependency === undefined) return
      const waited = containers.filter((one) => one.service === name)
      if (waited.length === 0) {
        if (required) throw new DhowError("conflict", `${service.name} is missing dependency ${name}`)
        progress.warn(`${service.name} is missing dependency ${name}`)
        return
      }
      for (const one of waited) progress.step("Container", one.name, "Waiting")
      try {
        await waitUntil(waited, condition, { client })
        const word = condition === "service_healthy" ? "Healthy" : "Exited"
        for (const one of waited) progress.step("Container", one.name, word)
      } catch (error) {
        if (!(error instanceof DhowError)) throw error
        if (!required) {
          for (const one of waited) progress.step("Container", one.name, "Skipped")
          progress.warn(`optional dependency "${name}" failed to start: ${error.message}`)
          return
        }
        for (const one of waited) progress.step("Container", one.name, "Error")
        if (condition !== "service_healthy") throw error
        throw new DhowError(error.kind, `dependency failed to start: ${error.message}`, { cause: error })
      }
    }),
  )
}

/** `up --wait`: until all run, or are healthy where they can be; jobs that others wait for until they have ended well. */
export async function waitForAll(
  session: Session,
  names: readonly string[],
  seconds: number | undefined,
): Promise<void> {
  const { client, project, progress } = session
  const containers = (await observeContainers(client, project.name)).filter(
    ({ isOneOff, service }) => !isOneOff && names.includes(service),
  )
  const deadline = seconds === undefined || seconds === 0 ? undefined : Date.now() + seconds * 1000
  for (const one of containers) progress.step("Container", one.name, "Waiting")
  await Promise.all(
    containers.map(async (container) => {
      try {
        await waitUntil([container], conditionOf(project, container.service), { client, deadline })
      } catch (error) {
        progress.step("Container", container.name, "Error")
        if (deadline !== undefined && Date.now() > deadline)
          throw new DhowError("unavailable", `application not healthy after ${seconds}s`, { cause: error })
        throw error
      }
      progress.step("Container", container.name, "Healthy")
    }),
  )
}

function conditionOf(project: Project, name: string): Condition {
  const isJob = Object.values(project.services).some(
    (service) => service.depends_on?.[name]?.condition === "service_completed_successfully",
  )
  return isJob ? "service_completed_successfully" : "running_or_healthy"
}
