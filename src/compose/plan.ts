// What has to change so that what runs is what the project says: decided here, carried out by whoever has an engine.

import { networkHash, serviceHash, volumeHash } from "./hash.ts"
import { LABEL } from "./labels.ts"
import { type Project, replicasOf, type Service } from "./model.ts"

export type ObservedContainer = {
  readonly id: string
  readonly name: string
  readonly service: string
  readonly number: number
  readonly isOneOff: boolean
  readonly state: string
  readonly labels: Readonly<Record<string, string>>
  /** IDs of networks; of a container that never ran they may be missing. */
  readonly networks: readonly string[]
  readonly networkNames: readonly string[]
  /** Names of volumes. */
  readonly volumes: readonly string[]
}

export type ObservedNetwork = { readonly id: string; readonly labels: Readonly<Record<string, string>> }
export type ObservedVolume = { readonly labels: Readonly<Record<string, string>> }

export type Observed = {
  readonly containers: readonly ObservedContainer[]
  /** By name. */
  readonly networks: ReadonlyMap<string, ObservedNetwork>
  readonly volumes: ReadonlyMap<string, ObservedVolume>
}

export type Recreate = "diverged" | "force" | "never"

/** Why a container has to be made again; empty: it has not. */
export type Divergence = readonly ("configuration" | "image" | "network" | "volume" | "forced")[]

export type Decision =
  | { readonly action: "create"; readonly number: number }
  | { readonly action: "recreate"; readonly container: ObservedContainer; readonly why: Divergence }
  | { readonly action: "keep"; readonly container: ObservedContainer }
  | { readonly action: "remove"; readonly container: ObservedContainer }

export type DecideOptions = {
  readonly recreate: Recreate
  /** ID of the service's image, where it is known. */
  readonly image: string | undefined
}

export function divergence(
  project: Project,
  service: Service,
  container: ObservedContainer,
  { observed, recreate, image }: DecideOptions & { readonly observed: Observed },
): Divergence {
  if (recreate === "never") return []
  if (recreate === "force") return ["forced"]
  const found: Divergence[number][] = []
  if (container.labels[LABEL.image] !== image && image !== undefined) found.push("image")
  if (container.labels[LABEL.hash] !== serviceHash(service)) found.push("configuration")
  if (found.length > 0) return found
  for (const key of Object.keys(service.networks ?? {})) {
    const { name } = project.networks[key]!
    const id = observed.networks.get(name)?.id
    if (id === undefined || !container.networkNames.includes(name)) return ["network"]
    if (container.state === "running" && !container.networks.includes(id)) return ["network"]
  }
  for (const { type, source } of service.volumes ?? [])
    if (type === "volume" && source !== undefined && !container.volumes.includes(project.volumes[source]!.name))
      return ["volume"]
  return []
}

/** What becomes of a service's containers; up-to-date ones and low numbers stay when there are too many. */
export function decide(
  project: Project,
  service: Service,
  options: DecideOptions & { readonly observed: Observed },
): readonly Decision[] {
  const containers = options.observed.containers.filter((one) => one.service === service.name && !one.isOneOff)
  const judged = containers.map((container) => ({ container, why: divergence(project, service, container, options) }))
  judged.sort((a, b) => Number(a.why.length > 0) - Number(b.why.length > 0) || a.container.number - b.container.number)
  const wanted = replicasOf(service)
  const decisions: Decision[] = judged.map(({ container, why }, index) =>
    index >= wanted
      ? { action: "remove", container }
      : why.length > 0
        ? { action: "recreate", container, why }
        : { action: "keep", container },
  )
  const highest = Math.max(0, ...containers.map(({ number }) => number))
  for (let more = 1; more <= wanted - containers.length; more++)
    decisions.push({ action: "create", number: highest + more })
  return decisions
}

export type ResourceDecision = {
  readonly kind: "network" | "volume"
  readonly key: string
  readonly name: string
  readonly action: "create" | "recreate"
}

/** Networks and volumes that are missing, or that are not as the project has them. */
export function decideResources(project: Project, observed: Observed): readonly ResourceDecision[] {
  const found: ResourceDecision[] = []
  for (const [key, network] of Object.entries(project.networks)) {
    if (network.external === true) continue
    const there = observed.networks.get(network.name)
    const hash = there?.labels[LABEL.hash]
    if (there === undefined) found.push({ kind: "network", key, name: network.name, action: "create" })
    else if (hash !== undefined && hash !== networkHash(network))
      found.push({ kind: "network", key, name: network.name, action: "recreate" })
  }
  for (const [key, volume] of Object.entries(project.volumes)) {
    if (volume.external === true) continue
    const there = observed.volumes.get(volume.name)
    const hash = there?.labels[LABEL.hash]
    if (there === undefined) found.push({ kind: "volume", key, name: volume.name, action: "create" })
    else if (hash !== undefined && hash !== volumeHash(volume))
      found.push({ kind: "volume", key, name: volume.name, action: "recreate" })
  }
  return found
}

/** Containers of services that the project does not have. */
export function orphansOf(project: Project, observed: Observed): readonly ObservedContainer[] {
  return observed.containers.filter(
    ({ service, isOneOff }) =>
      !isOneOff && !Object.hasOwn(project.services, service) && !Object.hasOwn(project.disabled, service),
  )
}

/** What will be there once these decisions are carried out, of what is there now. */
export function afterResources(observed: Observed, decisions: readonly ResourceDecision[]): Observed {
  const anew = (kind: ResourceDecision["kind"]): ReadonlySet<string> =>
    new Set(decisions.flatMap((one) => (one.kind === kind && one.action === "recreate" ? [one.name] : [])))
  const networks = anew("network")
  const volumes = anew("volume")
  return {
    ...observed,
    containers: observed.containers
      .filter((container) => !container.volumes.some((name) => volumes.has(name)))
      .map((container) => ({
        ...container,
        networkNames: container.networkNames.filter((name) => !networks.has(name)),
      })),
  }
}
