// Networks and volumes of a project: created with its labels, and made again where they are not as the project has them.

import { removeContainer, stopContainer } from "../../client/containers.ts"
import { createNetwork, disconnectNetwork, removeNetwork } from "../../client/networks.ts"
import { createVolume, removeVolume } from "../../client/system.ts"
import { given } from "../../compose/container-resources.ts"
import { networkHash, volumeHash } from "../../compose/hash.ts"
import { LABEL } from "../../compose/labels.ts"
import type { Project, ProjectNetwork, ProjectVolume } from "../../compose/model.ts"
import { afterResources, decideResources, type Observed, type ResourceDecision } from "../../compose/plan.ts"
import { DhowError } from "../../lib/errors.ts"
import { VERSION } from "../../lib/version.ts"
import type { NetworkCreateRequest } from "../../wire/network.ts"
import { observe } from "./observed.ts"
import type { Session } from "./session.ts"

export type ResourceOptions = {
  /** Whether a volume may be made again, and what is in it lost. */
  readonly confirm: (volume: string) => Promise<boolean>
}

/** Returns what there is afterwards. */
export async function ensureResources(session: Session, options: ResourceOptions): Promise<Observed> {
  const { client, project, progress } = session
  const before = await observe(client, project)
  checkExternal(project, before)
  warnForeign(session, before)
  const decisions = decideResources(project, before)
  const done: ResourceDecision[] = []
  for (const decision of decisions) {
    const { kind, key, name, action } = decision
    if (kind === "network") {
      if (action === "recreate") await removeDivergedNetwork(session, key, name, before)
      await progress.around("Network", name, ["Creating", "Created"], () =>
        createNetwork(client, networkRequest(project, key, project.networks[key]!)),
      )
      done.push(decision)
      continue
    }
    const volume = project.volumes[key]!
    if (action === "recreate") {
      if (!(await options.confirm(name))) continue
      await removeDivergedVolume(session, name, before)
    }
    await progress.around("Volume", name, ["Creating", "Created"], () =>
      createVolume(
        client,
        given<Parameters<typeof createVolume>[1]>({
          Name: name,
          Driver: volume.driver,
          DriverOpts: volume.driver_opts,
          Labels: {
            ...volume.labels,
            ...projectLabels(project),
            [LABEL.volume]: key,
            [LABEL.hash]: volumeHash(volume),
          },
        }),
      ),
    )
    done.push(decision)
  }
  // Containers that left a network for a new one are not on it, whatever they were made with.
  return done.length === 0 ? before : afterResources(await observe(client, project), done)
}

function projectLabels(project: Project): Record<string, string> {
  return { [LABEL.project]: project.name, [LABEL.version]: VERSION }
}

function networkRequest(project: Project, key: string, network: ProjectNetwork): NetworkCreateRequest {
  const { ipam } = network
  const hasIpam = ipam?.driver !== undefined || (ipam?.config?.length ?? 0) > 0 || ipam?.options !== undefined
  return given<NetworkCreateRequest>({
    Name: network.name,
    Driver: network.driver,
    Options: network.driver_opts,
    Internal: network.internal,
    Attachable: network.attachable,
    EnableIPv4: network.enable_ipv4,
    EnableIPv6: network.enable_ipv6,
    IPAM: !hasIpam
      ? undefined
      : given<NonNullable<NetworkCreateRequest["IPAM"]>>({
          Driver: ipam?.driver,
          Options: ipam?.options,
          Config: ipam?.config?.map((pool) =>
            given<{
              Subnet?: string
              IPRange?: string
              Gateway?: string
              AuxiliaryAddresses?: Readonly<Record<string, string>>
            }>({
              Subnet: pool.subnet,
              IPRange: pool.ip_range,
              Gateway: pool.gateway,
              AuxiliaryAddresses: pool.aux_addresses,
            }),
          ),
        }),
    Labels: { ...network.labels, ...projectLabels(project), [LABEL.network]: key, [LABEL.hash]: networkHash(network) },
  })
}

function checkExternal(project: Project, observed: Observed): void {
  for (const network of Object.values(project.networks))
    if (network.external === true && !observed.networks.has(network.name))
      throw new DhowError("not-found", `network ${network.name} declared as external, but could not be found`)
  for (const volume of Object.values(project.volumes))
    if (volume.external === true && !observed.volumes.has(volume.name))
      throw new DhowError("not-found", `external volume "${volume.name}" not found`)
}

function warnForeign({ project, progress }: Session, observed: Observed): void {
  const check = (
    kind: string,
    { name, external }: ProjectNetwork | ProjectVolume,
    owner: string | undefined,
    there: boolean,
  ): void => {
    if (external === true || !there || owner === project.name) return
    const said = owner === undefined ? "was not created by compose" : `was created for project "${owner}"`
    progress.warn(`${kind} "${name}" already exists but ${said}. Use \`external: true\` to use an existing ${kind}`)
  }
  for (const network of Object.values(project.networks)) {
    const there = observed.networks.get(network.name)
    check("network", network, there?.labels[LABEL.project], there !== undefined)
  }
  for (const volume of Object.values(project.volumes)) {
    const there = observed.volumes.get(volume.name)
    check("volume", volume, there?.labels[LABEL.project], there !== undefined)
  }
}

/** Its containers stop and leave it: they are made again with the new one. */
async function removeDivergedNetwork(
  { client, project, progress }: Session,
  key: string,
  name: string,
  observed: Observed,
): Promise<void> {
  const id = observed.networks.get(name)!.id
  const users = observed.containers.filter(
    (container) =>
      container.networks.includes(id) || Object.hasOwn(project.services[container.service]?.networks ?? {}, key),
  )
  for (const user of users) {
    await progress.around("Container", user.name, ["Stopping", "Stopped"], () => stopContainer(client, user.id))
    if (user.networks.includes(id)) await disconnectNetwork(client, id, { Container: user.id, Force: true })
  }
  await removeNetwork(client, id)
  progress.step("Network", name, "Removed")
}

async function removeDivergedVolume({ client, progress }: Session, name: string, observed: Observed): Promise<void> {
  for (const user of observed.containers.filter(({ volumes }) => volumes.includes(name))) {
    await progress.around("Container", user.name, ["Stopping", "Stopped"], () => stopContainer(client, user.id))
    await progress.around("Container", user.name, ["Removing", "Removed"], () => removeContainer(client, user.id))
  }
  await removeVolume(client, name, true)
  progress.step("Volume", name, "Removed")
}
