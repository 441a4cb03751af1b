// dhow compose plan: what `up` would change, and why, without changing anything.
import { inspectContainer } from "../../client/containers.ts"
import { inspectImage } from "../../client/images.ts"
import { differences } from "../../compose/differences.ts"
import { containerName } from "../../compose/labels.ts"
import { imageOf, type Service } from "../../compose/model.ts"
import { withDependencies } from "../../compose/order.ts"
import {
  afterResources,
  type Decision,
  decide,
  decideResources,
  type ObservedContainer,
  orphansOf,
} from "../../compose/plan.ts"
import { resolveReferences } from "../../compose/references.ts"
import { defineCommand } from "../command.ts"
import { boolean, string } from "../flags/flags.ts"
import { print, writeAll } from "../output.ts"
import { formatTable } from "../render/table.ts"
import { createFlags, lookUp, recreateOf, scaled } from "./bring-up.ts"
import { requestFor } from "./create.ts"
import { checkServices } from "./globals.ts"
import { localImage } from "./images.ts"
import { openSession, type Session } from "./session.ts"

type Step = {
  readonly action: string
  readonly kind: string
  readonly name: string
  readonly reason: readonly string[]
}

export const plan = defineCommand({
  usage: "[OPTIONS] [SERVICE...]",
  summary: "Show what `up` would change, and why",
  flags: {
    "always-recreate-deps": createFlags["always-recreate-deps"],
    "exit-code": boolean("", "End with 2 when something would change"),
    "force-recreate": createFlags["force-recreate"],
    format: string("", "table or json", { default: "table" }),
    "no-recreate": createFlags["no-recreate"],
    "remove-orphans": createFlags["remove-orphans"],
    scale: createFlags.scale,
  } as const,
  args: [0, Number.POSITIVE_INFINITY],
  examples: ["dhow compose plan", "dhow compose plan --exit-code || dhow compose up -d"],
  async run(context, flags, names) {
    const opened = openSession(context, { named: names })
    const session = { ...opened, project: scaled(opened.project, flags.scale) }
    checkServices(session.project, names)
    const wanted = withDependencies(session.project, names)
    const steps = await stepsOf(session, wanted, names.length === 0 ? wanted : names, flags)
    if (flags.format === "json") print(JSON.stringify(steps, undefined, 2))
    else if (steps.length === 0) print("Nothing would change")
    else
      writeAll(
        1,
        formatTable([
          ["ACTION", "KIND", "NAME", "REASON"],
          ...steps.map((step) => [step.action, step.kind, step.name, step.reason.join(", ")]),
        ]),
      )
    return flags["exit-code"] === true && steps.length > 0 ? 2 : 0
  },
})

async function stepsOf(
  session: Session,
  names: readonly string[],
  asked: readonly string[],
  flags: Parameters<typeof recreateOf>[0] & { readonly "remove-orphans": boolean | undefined },
): Promise<Step[]> {
  const { client, project } = session
  const before = await lookUp(session, names)
  const steps: Step[] = []
  const used = { ...project, services: Object.fromEntries(names.map((name) => [name, project.services[name]!])) }
  const resources = decideResources({ ...used, ...usedResources(session, names) }, before)
  const observed = afterResources(before, resources)
  for (const { kind, name, action } of resources)
    steps.push({ action, kind, name, reason: resourceReason(kind, action) })
  const { own, dependencies } = recreateOf(flags)
  const current = new Map<string, string>()
  for (const { service, id, isOneOff } of observed.containers)
    if (!isOneOff && !current.has(service)) current.set(service, id)
  const changed = new Set<string>()
  for (const name of names) {
    const given = project.services[name]!
    const image = await localImage(client, imageOf(project, given))
    if (image === undefined)
      steps.push({
        action: given.build === undefined || given.image !== undefined ? "pull" : "build",
        kind: "image",
        name: imageOf(project, given),
        reason: ["not here"],
      })
    const shares = sharedServices(given).filter((other) => changed.has(other) || !current.has(other))
    const service = shares.length > 0 ? given : resolveReferences(given, (other) => current.get(other))
    const decisions = decide(project, service, {
      observed,
      recreate: asked.includes(name) ? own : dependencies,
      image: image?.id,
    })
    for (const decision of decisions) {
      const step = await stepOf(session, service, decision, shares)
      if (step === undefined) continue
      if (step.action === "create" || step.action === "recreate") changed.add(name)
      steps.push(step)
    }
  }
  const restarted = await restartedSteps(session, observed.containers, changed, steps)
  const orphans = flags["remove-orphans"] === true ? orphansOf(project, observed) : []
  return [
    ...steps,
    ...restarted,
    ...orphans.map(
      ({ name }): Step => ({ action: "remove", kind: "container", name, reason: ["its service is no longer there"] }),
    ),
  ]
}

function resourceReason(kind: string, action: string): readonly string[] {
  if (action === "create") return ["does not exist"]
  return kind === "volume" ? ["configuration", "asks first: its data would be lost"] : ["configuration"]
}

function usedResources(
  { project }: Session,
  names: readonly string[],
): Pick<Session["project"], "networks" | "volumes"> {
  const services = names.map((name) => project.services[name]!)
  const networks = new Set(services.flatMap((service) => Object.keys(service.networks ?? {})))
  const volumes = new Set(services.flatMap((service) => (service.volumes ?? []).flatMap(({ source }) => source ?? [])))
  return {
    networks: Object.fromEntries(Object.entries(project.networks).filter(([key]) => networks.has(key))),
    volumes: Object.fromEntries(Object.entries(project.volumes).filter(([key]) => volumes.has(key))),
  }
}

async function stepOf(
  session: Session,
  service: Service,
  decision: Decision,
  shares: readonly string[],
): Promise<Step | undefined> {
  const { project } = session
  switch (decision.action) {
    case "create":
      return {
        action: "create",
        kind: "container",
        name: containerName(project, service, decision.number),
        reason: ["does not exist"],
      }
    case "remove":
      return { action: "remove", kind: "container", name: decision.container.name, reason: ["scale"] }
    case "recreate": {
      const { container, why } = decision
      const known =
        why.includes("configuration") && shares.length === 0 ? await fieldsOf(session, service, container) : []
      const reason =
        shares.length > 0
          ? shares.map((other) => `shares of ${other}`)
          : why.flatMap((one) => (one === "configuration" && known.length > 0 ? known : [one]))
      return { action: "recreate", kind: "container", name: container.name, reason: [...new Set(reason)] }
    }
    case "keep": {
      const { container } = decision
      const isStopped = container.state === "exited" || container.state === "created" || container.state === "dead"
      return isStopped
        ? { action: "start", kind: "container", name: container.name, reason: [container.state] }
        : undefined
    }
  }
}

/** By the fields of the file; what has no counterpart in a container is "configuration". */
async function fieldsOf(session: Session, service: Service, container: ObservedContainer): Promise<readonly string[]> {
  const inspected = await inspectContainer(session.client, container.id)
  const image = await inspectImage(session.client, inspected.Image).catch(() => undefined)
  const making = { service, number: container.number, image: undefined, links: inspected.HostConfig.Links ?? [] }
  return differences(requestFor(session, making), inspected, image?.Config ?? {})
}

function sharedServices(service: Service): string[] {
  const modes = [service.network_mode, service.ipc, service.pid].flatMap((mode) =>
    mode?.startsWith("service:") ? [mode.slice("service:".length)] : [],
  )
  const volumes = (service.volumes_from ?? [])
    .filter((from) => !from.startsWith("container:"))
    .map((from) => from.split(":", 1)[0]!)
  return [...modes, ...volumes]
}

/** "depends_on: {restart: true}" */
async function restartedSteps(
  { project }: Session,
  containers: readonly ObservedContainer[],
  changed: ReadonlySet<string>,
  steps: readonly Step[],
): Promise<Step[]> {
  const found: Step[] = []
  for (const service of Object.values(project.services)) {
    const because = Object.entries(service.depends_on ?? {}).filter(
      ([name, { restart }]) => restart === true && changed.has(name) && containers.some((one) => one.service === name),
    )
    if (because.length === 0 || changed.has(service.name)) continue
    for (const { name, state, service: own, isOneOff } of containers)
      if (own === service.name && !isOneOff && state === "running" && !steps.some((step) => step.name === name))
        found.push({
          action: "restart",
          kind: "container",
          name,
          reason: because.map(([other]) => `depends on ${other}`),
        })
  }
  return found
}
