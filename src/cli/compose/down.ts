// dhow compose down: stops and removes what `up` made; volumes and images only when asked.
import { removeContainer, stopContainer } from "../../client/containers.ts"
import { removeImage } from "../../client/images.ts"
import { listNetworks, removeNetwork } from "../../client/networks.ts"
import { listVolumes, removeVolume } from "../../client/system.ts"
import { LABEL } from "../../compose/labels.ts"
import { imageOf } from "../../compose/model.ts"
import { eachInOrder } from "../../compose/order.ts"
import type { ObservedContainer } from "../../compose/plan.ts"
import { DhowError, isKind } from "../../lib/errors.ts"
import { defineCommand } from "../command.ts"
import { boolean, int, string } from "../flags/flags.ts"
import { runHooks } from "./hooks.ts"
import { containersOf, openTarget, projectOf, type Target } from "./project-or-name.ts"

export const down = defineCommand({
  usage: "[OPTIONS] [SERVICE...]",
  summary: "Stop and remove containers and networks",
  flags: {
    "remove-orphans": boolean("", "Also containers of services that are no longer there"),
    rmi: string("", 'Also images: "local" those without a name of their own, or "all"', { value: "type" }),
    timeout: int("t", "Seconds to wait for a container to stop"),
    volumes: boolean("v", "Also the volumes, with what is in them"),
  } as const,
  args: [0, Number.POSITIVE_INFINITY],
  examples: ["dhow compose down", "dhow compose down --volumes --remove-orphans"],
  async run(context, flags, names) {
    if (flags.rmi !== undefined && flags.rmi !== "local" && flags.rmi !== "all")
      throw new DhowError("invalid", `invalid value for --rmi: ${JSON.stringify(flags.rmi)}`)
    const target = await openTarget(context)
    const project = projectOf(target)
    const all = { ...project, services: { ...project.services, ...project.disabled }, disabled: {} }
    const withOneOff = flags["remove-orphans"] === true
    const containers = containersOf({ ...target, project: target.project === undefined ? undefined : all }, names, {
      oneOff: withOneOff,
    })
    const ofServices = containers.filter(({ service }) => Object.hasOwn(all.services, service))
    const orphans = containers.filter(({ service }) => !Object.hasOwn(all.services, service))
    const remove = async (container: ObservedContainer): Promise<void> => {
      const hooks = all.services[container.service]?.pre_stop ?? []
      await target.progress.around("Container", container.name, ["Stopping", "Stopped"], async () => {
        if (container.state === "running") await runHooks(target, container, hooks)
        await stopContainer(target.client, container.id, { timeout: flags.timeout })
      })
      await target.progress.around("Container", container.name, ["Removing", "Removed"], () =>
        removeContainer(target.client, container.id, { force: true, volumes: flags.volumes === true }),
      )
    }
    await eachInOrder(
      all,
      Object.keys(all.services),
      async ({ name }) => {
        await Promise.all(ofServices.filter(({ service }) => service === name).map(remove))
      },
      { reverse: true },
    )
    if (withOneOff && names.length === 0) await Promise.all(orphans.map(remove))
    if (names.length > 0) return 0
    const removed = [
      await removeNetworks(target),
      flags.volumes === true ? await removeVolumes(target) : 0,
      flags.rmi === undefined ? 0 : await removeImages(target, flags.rmi),
    ].reduce((sum, count) => sum + count, 0)
    if (containers.length === 0 && removed === 0)
      target.progress.warn(`No resource found to remove for project "${target.name}".`)
    return 0
  },
})

async function removeNetworks({ client, name, project, progress }: Target): Promise<number> {
  const found = await listNetworks(client, { label: [`${LABEL.project}=${name}`] })
  const external = new Set(
    Object.values(project?.networks ?? {}).flatMap((network) => (network.external === true ? [network.name] : [])),
  )
  const own = found.filter(({ Name }) => !external.has(Name))
  await Promise.all(
    own.map(({ Name, Id }) => removeResource(progress, "Network", Name, () => removeNetwork(client, Id))),
  )
  return own.length
}

async function removeVolumes({ client, name, progress }: Target): Promise<number> {
  const found = (await listVolumes(client, { label: [`${LABEL.project}=${name}`] })).Volumes ?? []
  const named = found.filter(({ Labels }) => Labels?.[LABEL.volume] !== undefined)
  await Promise.all(
    named.map(({ Name }) => removeResource(progress, "Volume", Name, () => removeVolume(client, Name, true))),
  )
  return named.length
}

async function removeImages({ client, project, containers, progress }: Target, kind: string): Promise<number> {
  const services = Object.values(project?.services ?? {})
  const wanted = services.filter(({ image }) => kind === "all" || image === undefined)
  const names = new Set(
    project === undefined
      ? containers.map(({ labels }) => labels[LABEL.image] ?? "")
      : wanted.map((service) => imageOf(project, service)),
  )
  await Promise.all(
    [...names]
      .filter((image) => image !== "")
      .map((image) => removeResource(progress, "Image", image, () => removeImage(client, image))),
  )
  return names.size
}

async function removeResource(
  progress: Target["progress"],
  kind: "Network" | "Volume" | "Image",
  name: string,
  act: () => Promise<unknown>,
): Promise<void> {
  progress.step(kind, name, "Removing")
  try {
    await act()
    progress.step(kind, name, "Removed")
  } catch (error) {
    const isUsed = isKind(error, "conflict") || (isKind(error, "forbidden") && /active endpoints/.test(error.message))
    if (isUsed) progress.step(kind, name, "Resource is still in use")
    else if (isKind(error, "not-found")) progress.step(kind, name, "No resource found to remove")
    else throw error
  }
}
