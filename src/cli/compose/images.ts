// The images of services: looked up, pulled where the policy says so; what would have to be built is refused.
import type { Client } from "../../client/client.ts"
import { inspectImage, pullImage } from "../../client/images.ts"
import { imageOf, type Project, type Service } from "../../compose/model.ts"
import { DhowError, isKind } from "../../lib/errors.ts"
import type { Progress } from "./progress.ts"

export type PullPolicy = "always" | "missing" | "never" | "build"

export type ImageOptions = {
  readonly client: Client
  readonly progress: Progress
  /** Of the command line; wins over the services' own. */
  readonly pull?: PullPolicy | undefined
}

/** IDs of images by service. */
export type ImageIds = ReadonlyMap<string, string>

export async function localImage(
  client: Client,
  name: string,
): Promise<{ readonly id: string; readonly taggedAt: number } | undefined> {
  try {
    const { Id, Metadata } = await inspectImage(client, name)
    return { id: Id, taggedAt: Date.parse(Metadata?.LastTagTime ?? "") || 0 }
  } catch (error) {
    if (isKind(error, "not-found")) return undefined
    throw error
  }
}

export async function ensureImages(
  project: Project,
  names: readonly string[],
  options: ImageOptions,
): Promise<ImageIds> {
  const services = names.map((name) => project.services[name]!)
  const ids = new Map<string, string>()
  const pulls = new Map<string, Promise<string>>()
  await Promise.all(
    services.map(async (service) => {
      const image = imageOf(project, service)
      const found = await localImage(options.client, image)
      if (!isPullNeeded(service, found, options.pull)) {
        ids.set(service.name, await existing(service, image, found?.id))
        return
      }
      // Services of one image pull it once.
      const key = `${image} ${service.platform ?? ""}`
      const pull = pulls.get(key) ?? pullService(project, service, options)
      pulls.set(key, pull)
      ids.set(service.name, await pull)
    }),
  )
  return ids
}

async function existing(service: Service, image: string, id: string | undefined): Promise<string> {
  if (id !== undefined) return id
  if (service.build !== undefined) throw notBuilt(service, image)
  throw new DhowError("not-found", `no such image: ${image}`, {
    hint: `The pull policy of the service "${service.name}" forbids fetching it`,
  })
}

export function notBuilt(service: Service, image: string): DhowError {
  return new DhowError("not-implemented", `Cannot build service "${service.name}": this version has no builder`, {
    hint: `Build the image "${image}" with another program and load it, or name one to pull with "image"`,
  })
}

const SPAN: Readonly<Record<string, number>> = { w: 604_800_000, d: 86_400_000, h: 3_600_000, m: 60_000, s: 1000 }

function isPullNeeded(
  service: Service,
  found: { readonly taggedAt: number } | undefined,
  asked: PullPolicy | undefined,
): boolean {
  const policy = asked ?? service.pull_policy ?? "missing"
  // An image that is built here is nowhere to be pulled from, unless it says so.
  if (service.build !== undefined && (service.image === undefined || asked !== "always") && policy !== "always")
    return false
  if (policy === "always") return true
  if (policy === "never" || policy === "build") return false
  if (found === undefined) return true
  const age = Date.now() - found.taggedAt
  if (policy === "daily") return age > SPAN["d"]!
  if (policy === "weekly") return age > SPAN["w"]!
  const every = /^every_(.*)$/.exec(policy)?.[1]
  if (every === undefined) return false
  let span = 0
  for (const [, count, unit] of every.matchAll(/(\d+)([wdhms])/g)) span += Number(count) * SPAN[unit!]!
  return age > span
}

export async function pullService(
  project: Project,
  service: Service,
  { client, progress }: ImageOptions,
): Promise<string> {
  const image = imageOf(project, service)
  const { authForImage } = await import("../credentials/credentials.ts")
  progress.line(service.name, "Pulling")
  const platform = service.platform ?? (project.environment.get("DOCKER_DEFAULT_PLATFORM") || undefined)
  try {
    for await (const line of await pullImage(client, image, { platform, auth: authForImage(image) }))
      if (line.error !== undefined) throw new DhowError("unavailable", line.error)
  } catch (error) {
    progress.line(service.name, "Error")
    throw error
  }
  progress.line(service.name, "Pulled")
  const found = await localImage(client, image)
  if (found === undefined) throw new DhowError("not-found", `The image "${image}" is gone right after it was pulled`)
  return found.id
}
