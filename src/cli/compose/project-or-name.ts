// Commands on what runs need no compose file: the project's name is enough.
import type { Client } from "../../client/client.ts"
import { LABEL } from "../../compose/labels.ts"
import type { Project, Service } from "../../compose/model.ts"
import type { ObservedContainer } from "../../compose/plan.ts"
import { findProject, openProject, projectName } from "../../compose/project.ts"
import { DhowError } from "../../lib/errors.ts"
import type { Context } from "../command.ts"
import { globalsOf, optionsOf } from "./globals.ts"
import { observeContainers } from "./observed.ts"
import type { Progress } from "./progress.ts"
import { progressOf } from "./session.ts"

export type Target = {
  readonly client: Client
  readonly name: string
  /** Absent where there is no compose file. */
  readonly project: Project | undefined
  readonly containers: readonly ObservedContainer[]
  readonly progress: Progress
}

export async function openTarget(context: Context, services: readonly string[] = []): Promise<Target> {
  const options = optionsOf(context, { named: services })
  const found = findProject(options)
  const isNamed =
    globalsOf(context)["project-name"] !== undefined || (found.environment.get("COMPOSE_PROJECT_NAME") ?? "") !== ""
  const project = found.paths.length === 0 && isNamed ? undefined : openProject(options)
  const name = project?.name ?? projectName(options, found)
  return {
    client: context.client,
    name,
    project,
    containers: await observeContainers(context.client, name),
    progress: progressOf(context),
  }
}

/** Of these services, or of all; a name that neither the files nor the engine know is refused. */
export function containersOf(
  target: Target,
  services: readonly string[],
  { oneOff = false }: { readonly oneOff?: boolean } = {},
): readonly ObservedContainer[] {
  for (const name of services) {
    const isKnown =
      target.project === undefined
        ? target.containers.some(({ service }) => service === name)
        : Object.hasOwn(target.project.services, name)
    if (!isKnown) throw new DhowError("not-found", `no such service: ${name}`)
  }
  return target.containers.filter(
    (container) => (oneOff || !container.isOneOff) && (services.length === 0 || services.includes(container.service)),
  )
}

/** The project as the files say, or else as the labels of its containers tell. */
export function projectOf({ project, name, containers }: Target): Project {
  if (project !== undefined) return project
  const services: Record<string, Service> = {}
  for (const { service, labels, isOneOff } of containers) {
    if (isOneOff) continue
    const depends = (labels[LABEL.dependsOn] ?? "").split(",").filter((one) => one !== "")
    services[service] = {
      name: service,
      depends_on: Object.fromEntries(
        depends.map((one) => {
          const [dependency = "", condition = "service_started", restart] = one.split(":")
          return [dependency, { condition, restart: restart === "true", required: true }] as const
        }),
      ) as NonNullable<Service["depends_on"]>,
    }
  }
  return {
    name,
    services,
    networks: {},
    volumes: {},
    secrets: {},
    configs: {},
    models: {},
    extensions: {},
    disabled: {},
    directory: "",
    files: [],
    environment: new Map(),
  }
}

/** One container of a service: the first, or the one with this number. */
export function containerAt(target: Target, service: string, index: number | undefined): ObservedContainer {
  const found = containersOf(target, [service], { oneOff: true }).filter(
    (one) => index === undefined || one.number === index,
  )
  const running = found.find((one) => !one.isOneOff) ?? found[0]
  if (running !== undefined) return running
  throw new DhowError(
    "not-found",
    `service "${service}" is not running${index === undefined ? "" : ` container #${index}`}`,
  )
}
