// What the engine has of a project, by the labels on it.
import type { Client } from "../../client/client.ts"
import { listContainers } from "../../client/containers.ts"
import { listNetworks } from "../../client/networks.ts"
import { listVolumes } from "../../client/system.ts"
import { LABEL } from "../../compose/labels.ts"
import type { Project } from "../../compose/model.ts"
import type { Observed, ObservedContainer } from "../../compose/plan.ts"
import type { ContainerSummary } from "../../wire/container.ts"

export async function listProject(client: Client, project: string): Promise<ContainerSummary[]> {
  return listContainers(client, { all: true, filters: { label: [`${LABEL.project}=${project}`, LABEL.hash] } })
}

export async function observeContainers(client: Client, project: string): Promise<ObservedContainer[]> {
  const found = (await listProject(client, project)).map(observedContainer)
  return found.sort((a, b) => (a.service < b.service ? -1 : a.service > b.service ? 1 : a.number - b.number))
}

export async function observe(client: Client, project: Project): Promise<Observed> {
  const [containers, networks, volumes] = await Promise.all([
    observeContainers(client, project.name),
    listNetworks(client, {}),
    listVolumes(client, {}),
  ])
  return {
    containers,
    networks: new Map(networks.map(({ Name, Id, Labels }) => [Name, { id: Id, labels: Labels ?? {} }])),
    volumes: new Map((volumes.Volumes ?? []).map(({ Name, Labels }) => [Name, { labels: Labels ?? {} }])),
  }
}

export function observedContainer(summary: ContainerSummary): ObservedContainer {
  const labels = summary.Labels ?? {}
  return {
    id: summary.Id,
    name: nameOf(summary),
    service: labels[LABEL.service] ?? "",
    number: Number(labels[LABEL.number] ?? 0),
    isOneOff: labels[LABEL.oneOff] === "True",
    state: summary.State,
    labels,
    networks: Object.values(summary.NetworkSettings?.Networks ?? {}).flatMap((network) => network.NetworkID ?? []),
    networkNames: Object.keys(summary.NetworkSettings?.Networks ?? {}),
    volumes: summary.Mounts.flatMap(({ Type, Name }) => (Type === "volume" && Name !== undefined ? [Name] : [])),
  }
}

/** A name with a slash within is a link's. */
export function nameOf({ Names, Id }: ContainerSummary): string {
  const names = Names.map((name) => name.replace(/^\//, ""))
  return names.find((name) => !name.includes("/")) ?? names[0] ?? Id
}

/** "web-1" of "shop-web-1". */
export function shortName(project: string, name: string): string {
  return name.startsWith(`${project}-`) ? name.slice(project.length + 1) : name
}
