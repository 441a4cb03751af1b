// One container of a service: made, and made again in the place of an older one.
import { readFileSync } from "node:fs"
import { resolve } from "node:path"
import {
  createContainer,
  inspectContainer,
  removeContainer,
  renameContainer,
  stopContainer,
} from "../../client/containers.ts"
import { inspectImage } from "../../client/images.ts"
import { createRequest, type RequestOptions } from "../../compose/container.ts"
import type { Inherited } from "../../compose/container-mounts.ts"
import { containerLabels, containerName } from "../../compose/labels.ts"
import { imageOf, type Service } from "../../compose/model.ts"
import type { ObservedContainer } from "../../compose/plan.ts"
import { VERSION } from "../../lib/version.ts"
import type { ContainerCreateRequest } from "../../wire/container.ts"
import type { Session } from "./session.ts"

export type Making = {
  /** With what it shares of others resolved. */
  readonly service: Service
  readonly number: number
  readonly image: string | undefined
  readonly links: readonly string[]
}

export function requestFor(
  { project }: Session,
  { service, number, image, links }: Making,
  more: { readonly inherited?: Inherited; readonly replaces?: string } = {},
): ContainerCreateRequest {
  const options: RequestOptions = {
    name: containerName(project, service, number),
    labels: containerLabels(project, service, {
      number,
      image,
      version: VERSION,
      ...(more.replaces === undefined ? {} : { replaces: more.replaces }),
    }),
    aliases: [service.name],
    links,
    readFile: (path) => readFileSync(resolve(project.directory, path), "utf8"),
    ...(more.inherited === undefined ? {} : { inherited: more.inherited }),
  }
  return createRequest(project, service, options)
}

export async function makeContainer(session: Session, making: Making): Promise<string> {
  const { project, progress } = session
  const name = containerName(project, making.service, making.number)
  return progress.around("Container", name, ["Creating", "Created"], () =>
    post(session, making, name, requestFor(session, making)),
  )
}

async function post(
  { client, project, progress }: Session,
  { service }: Making,
  name: string,
  request: ContainerCreateRequest,
): Promise<string> {
  const platform = service.platform ?? (project.environment.get("DOCKER_DEFAULT_PLATFORM") || undefined)
  const created = await createContainer(client, request, { name, platform })
  for (const warning of created.Warnings ?? []) progress.warn(`${service.name}: ${warning}`)
  return created.Id
}

/** Under a name of its own, until the older one is gone. Keeps the older one's anonymous volumes. */
export async function makeSuccessor(
  session: Session,
  making: Making,
  old: ObservedContainer,
  { inherit }: { readonly inherit: boolean },
): Promise<string> {
  const inherited = inherit ? await anonymousVolumes(session, making.service, old) : new Map<string, string>()
  const replaces = making.service.container_name ?? `${making.service.name}-${making.number}`
  const name = containerName(session.project, making.service, making.number)
  return post(session, making, temporaryName(old, name), requestFor(session, making, { inherited, replaces }))
}

export function temporaryName(old: { readonly id: string }, name: string): string {
  return `${old.id.slice(0, 12)}_${name}`
}

export async function recreateContainer(
  session: Session,
  making: Making,
  old: ObservedContainer,
  options: { readonly inherit: boolean; readonly timeout: number | undefined },
): Promise<string> {
  const { client, project, progress } = session
  const name = containerName(project, making.service, making.number)
  return progress.around("Container", old.name, ["Recreate", "Recreated"], async () => {
    const id = await makeSuccessor(session, making, old, options)
    await stopContainer(client, old.id, { timeout: options.timeout })
    await removeContainer(client, old.id)
    await renameContainer(client, id, name)
    return id
  })
}

async function anonymousVolumes(
  { client, project }: Session,
  service: Service,
  old: ObservedContainer,
): Promise<Inherited> {
  const [{ Mounts }, { Config }] = await Promise.all([
    inspectContainer(client, old.id),
    inspectImage(client, imageOf(project, service)),
  ])
  const kept = new Map<string, string>()
  for (const { Type, Name, Destination } of Mounts) {
    if (Type !== "volume" || Name === undefined) continue
    const given = service.volumes?.find(({ target }) => target === Destination)
    const isAnonymous =
      given === undefined
        ? Config?.Volumes?.[Destination] !== undefined
        : given.type === "volume" && given.source === undefined
    if (isAnonymous) kept.set(Destination, Name)
  }
  return kept
}
