// From a project to its containers: images, networks, volumes, then the containers; without starting any.
import type { Project } from "../../compose/model.ts"
import { withDependencies } from "../../compose/order.ts"
import type { Recreate } from "../../compose/plan.ts"
import { DhowError } from "../../lib/errors.ts"
import { isTerminal } from "../../lib/syscalls/terminal.ts"
import { boolean, int, list, string } from "../flags/flags.ts"
import { ask } from "../prompt.ts"
import { converge, type Rolls, treatOrphans } from "./converge.ts"
import { checkServices } from "./globals.ts"
import { ensureImages, type PullPolicy } from "./images.ts"
import { observe } from "./observed.ts"
import { ensureResources } from "./resources.ts"
import type { Session } from "./session.ts"

export const createFlags = {
  "always-recreate-deps": boolean("", "Make the services that others need again too"),
  build: boolean("", "Build images before"),
  "force-recreate": boolean("", "Make containers again even if nothing has changed"),
  "no-build": boolean("", "Never build an image"),
  "no-recreate": boolean("", "Leave existing containers as they are"),
  pull: string("", 'When to pull images ("always", "missing", "never")', { value: "policy" }),
  "remove-orphans": boolean("", "Remove containers of services that are no longer there"),
  scale: list("", "Number of containers of a service (web=3)", { value: "service=num" }),
  timeout: int("t", "Seconds to wait for a container to stop"),
  yes: boolean("y", "Answer every question with yes"),
} as const

export type CreateFlags = {
  readonly [Name in keyof typeof createFlags]: (typeof createFlags)[Name]["kind"] extends "boolean"
    ? boolean | undefined
    : (typeof createFlags)[Name]["kind"] extends "int"
      ? number | undefined
      : (typeof createFlags)[Name]["kind"] extends "list"
        ? readonly string[]
        : string | undefined
}

export type BringUp = {
  readonly asked: readonly string[]
  readonly noDependencies?: boolean
  readonly inherit?: boolean
  readonly rolling?: boolean
  readonly pull?: PullPolicy | undefined
}

export type BroughtUp = { readonly names: readonly string[]; readonly rolls: Rolls }

export function recreateOf(flags: Pick<CreateFlags, "force-recreate" | "no-recreate" | "always-recreate-deps">): {
  readonly own: Recreate
  readonly dependencies: Recreate
} {
  if (flags["force-recreate"] === true && flags["no-recreate"] === true)
    throw new DhowError("invalid", "--force-recreate and --no-recreate are incompatible")
  if (flags["always-recreate-deps"] === true && flags["no-recreate"] === true)
    throw new DhowError("invalid", "--always-recreate-deps and --no-recreate are incompatible")
  const own = flags["force-recreate"] === true ? "force" : flags["no-recreate"] === true ? "never" : "diverged"
  return {
    own,
    dependencies:
      flags["always-recreate-deps"] === true ? "force" : flags["no-recreate"] === true ? "never" : "diverged",
  }
}

export async function bringUp(session: Session, flags: CreateFlags, options: BringUp): Promise<BroughtUp> {
  const { client, project, progress } = session
  checkServices(project, options.asked)
  const names =
    options.noDependencies === true && options.asked.length > 0
      ? options.asked
      : withDependencies(project, options.asked)
  const asked = options.asked.length === 0 ? names : options.asked
  if (flags.build === true) {
    const { buildServices } = await import("./build.ts")
    buildServices(project, names)
  }
  refuseUnsupported(project, names)
  const { own, dependencies } = recreateOf(flags)
  const images = await ensureImages(project, names, { client, progress, pull: options.pull ?? pullPolicy(flags.pull) })
  const needed = onlyUsed(project, names)
  const observed = await ensureResources(
    { ...session, project: needed },
    { confirm: (volume) => confirmLoss(volume, flags.yes === true) },
  )
  await treatOrphans(session, observed, {
    remove: flags["remove-orphans"] === true || isTrue(project.environment.get("COMPOSE_REMOVE_ORPHANS")),
    ignore: isTrue(project.environment.get("COMPOSE_IGNORE_ORPHANS")),
  })
  const rolls = await converge(session, {
    images,
    observed,
    names,
    asked,
    recreate: own,
    recreateDependencies: dependencies,
    inherit: options.inherit !== false,
    timeout: flags.timeout,
    rolling: options.rolling === true,
  })
  return { names, rolls }
}

/** Networks and volumes of these services alone. */
export function onlyUsed(project: Project, names: readonly string[]): Project {
  const services = names.map((name) => project.services[name]!)
  const networks = new Set(services.flatMap((service) => Object.keys(service.networks ?? {})))
  const volumes = new Set(services.flatMap((service) => (service.volumes ?? []).flatMap(({ source }) => source ?? [])))
  return {
    ...project,
    networks: Object.fromEntries(Object.entries(project.networks).filter(([key]) => networks.has(key))),
    volumes: Object.fromEntries(Object.entries(project.volumes).filter(([key]) => volumes.has(key))),
  }
}

export function isTrue(text: string | undefined): boolean {
  return /^(?:1|t|true|yes|y|on)$/i.test(text ?? "")
}

export function pullPolicy(text: string | undefined): PullPolicy | undefined {
  if (text === undefined || text === "policy") return undefined
  if (text === "always" || text === "missing" || text === "never" || text === "build") return text
  throw new DhowError("invalid", `unsupported --pull value ${JSON.stringify(text)}`)
}

async function confirmLoss(volume: string, yes: boolean): Promise<boolean> {
  if (yes) return true
  if (!isTerminal(0)) return false
  const question = `Volume "${volume}" exists but doesn't match configuration in compose file. Recreate (data will be lost)? [y/N] `
  return (await ask(question)) === "y"
}

/** "--scale web=3" over what the files say. */
export function scaled(project: Project, scales: readonly string[]): Project {
  const services = { ...project.services }
  for (const text of scales) {
    const [name = "", count = ""] = text.split("=")
    if (!/^\d+$/.test(count))
      throw new DhowError("invalid", `invalid --scale option ${JSON.stringify(text)}. Should be SERVICE=NUM`)
    checkServices(project, [name])
    const service = services[name]!
    if (Number(count) > 1 && service.container_name !== undefined)
      throw new DhowError(
        "invalid",
        `The "${name}" service is using the custom container name "${service.container_name}": it cannot be scaled`,
      )
    services[name] = { ...service, scale: Number(count) }
  }
  return { ...project, services }
}

/** What `up` would look at, without changing anything. */
export async function lookUp(session: Session, names: readonly string[]): Promise<ReturnType<typeof observe>> {
  return observe(session.client, onlyUsed(session.project, names))
}

/** Parts of the specification that only docker's plugin carries out: refused, not passed over. */
export function refuseUnsupported(project: Project, names: readonly string[]): void {
  for (const name of names) {
    const service = project.services[name]!
    const field = (["provider", "models", "credential_spec"] as const).find((one) => service[one] !== undefined)
    const unsupported = field ?? (service.use_api_socket === true ? "use_api_socket" : undefined)
    if (unsupported !== undefined)
      throw new DhowError(
        "not-implemented",
        `Service "${name}" has "${unsupported}", which the built-in compose does not know`,
        {
          hint: "Docker's compose plugin does: dhow compose runs it where it is installed",
        },
      )
  }
}
