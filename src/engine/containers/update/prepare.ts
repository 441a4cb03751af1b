// The record of a container as an update will make it, checked as create checks it. Volumes are only made where something
// is to be changed, and then only prepared.
import { existsSync } from "node:fs"
import { DhowError } from "../../../lib/errors.ts"
import type { HostConfig } from "../../../wire/container.ts"
import type { ContainerUpdateRequest } from "../../../wire/update.ts"
import type { PreparedVolume } from "../../volumes/volumes.ts"
import { checkSecurity, defaultHostname, hostConfigFacts, inRequest, mountSources, nameDonorsById } from "../create.ts"
import { checkCreate } from "../create-checks.ts"
import { checkHealthcheck } from "../health.ts"
import { completeHostConfig } from "../host-config.ts"
import { withNewPlaces, withPlaces } from "../image-mounts.ts"
import { resolveMount, resolveMounts } from "../mounts.ts"
import { checkNetworkMode } from "../network.ts"
import type { ContainerParts } from "../parts.ts"
import { type Container, type Editable, isRunning, type ResolvedMount } from "../record.ts"
import { resolveRequirements } from "../requirements.ts"
import { parseSignal } from "../signals.ts"
import { configOn, imageFor, standOn } from "./image.ts"
import { checkOwnNetwork } from "./live.ts"
import { CONFIG_FIELDS, HOST_FIELDS, type Plan, planUpdate } from "./plan.ts"
import { STARTED_RESOURCES } from "./resources.ts"

const OWN: ReadonlySet<string> = new Set([
  ...["PublishAdd", "PublishRm", "MountAdd", "MountRm", "EnvAdd", "EnvRm", "LabelAdd", "LabelRm", "Healthcheck"],
  ...["Reset", "RestartNow", "Force", "DryRun", "Image", ...CONFIG_FIELDS, ...HOST_FIELDS],
])

/** Whether it has a field that Docker does not know: then its sender knows dhow, and is told more. */
export function isOwnRequest(asked: ContainerUpdateRequest): boolean {
  return Object.keys(asked).some((name) => OWN.has(name))
}

export type Prepared = { readonly after: Editable; readonly plan: Plan; readonly warnings: readonly string[] }

/** The record as it will be, checked as create checks it. Volumes are only made where something is to be changed. */
export function prepare(
  parts: ContainerParts,
  { record, state }: Container,
  asked: ContainerUpdateRequest,
  prepared: (volume: PreparedVolume) => void,
): Prepared {
  const plan = planUpdate(record, asked, isRunning(state) ? parts.networks.publishedPorts(record.id) : [])
  const warnings: string[] = []
  const hostConfig = checkedHostConfig(parts, record.id, plan.hostConfig, asked)
  checkPolicy(hostConfig, asked)
  if (asked.StopSignal) parseSignal(asked.StopSignal)
  if (asked.Healthcheck !== undefined) checkHealthcheck(asked.Healthcheck)
  if (asked.PublishAdd !== undefined) checkOwnNetwork({ ...record, hostConfig })
  for (const name of STARTED_RESOURCES)
    if (isRunning(state) && JSON.stringify(hostConfig[name]) !== JSON.stringify(record.hostConfig[name]))
      warnings.push(`${name} takes effect when the container is started the next time.`)
  const placed = withPlaces(record.mounts)
  const kept = placed.filter(({ Destination }) => !plan.mountRm.includes(Destination))
  for (const mount of placed)
    if (mount.anonymous && !kept.includes(mount))
      warnings.push(`Volume "${mount.Name}" is kept: "dhow volume rm" removes it.`)
  const image = asked.Image ? inRequest(() => imageFor(parts, record, asked.Image!)) : undefined
  const config = image === undefined ? plan.config : configOn(parts, record, plan.config, image)
  const sources = mountSources(parts, prepared)
  const added =
    asked.DryRun === true
      ? dryMounts(plan)
      : inRequest(() => plan.mountAdd.map((mount) => resolveMount(mount, sources)))
  const mounts = [...kept, ...withNewPlaces(added, placed)]
  if (image !== undefined && asked.DryRun !== true)
    mounts.push(...imageVolumes(parts, { config, hostConfig, mounts, prepared }))
  // The name that create gives where none is asked for goes with the network.
  const isDefault = !config.Hostname || config.Hostname === defaultHostname(record.hostConfig, record.id)
  const hostname = isDefault ? defaultHostname(hostConfig, record.id) : config.Hostname
  const networkingConfig =
    hostConfig.NetworkMode === record.hostConfig.NetworkMode ? record.networkingConfig : { EndpointsConfig: {} }
  if (isOwnRequest(asked)) checkCreate({ ...config, Hostname: hostname ?? "" }, hostConfig, networkingConfig)
  const base = image === undefined ? record : standOn(image, asked.Image!)
  return {
    plan,
    warnings,
    after: {
      config: { ...config, Hostname: hostname ?? "", Image: base.image },
      hostConfig,
      networkingConfig,
      mounts: mounts.sort((a, b) => a.Destination.split("/").length - b.Destination.split("/").length),
      image: base.image,
      imageId: base.imageId,
      manifest: base.manifest,
      platform: base.platform,
      layers: base.layers,
    },
  }
}

function checkedHostConfig(
  parts: ContainerParts,
  id: string,
  wanted: HostConfig,
  asked: ContainerUpdateRequest,
): HostConfig {
  if (!HOST_FIELDS.some((name) => asked[name] !== undefined)) return wanted
  const { hostConfig } = completeHostConfig(wanted, hostConfigFacts(parts), { update: true })
  checkSecurity(parts, hostConfig)
  inRequest(() => {
    checkNetworkMode(parts, hostConfig.NetworkMode ?? "bridge")
    nameDonorsById(parts, hostConfig)
    if (asked.Requires !== undefined) hostConfig.Requires = resolveRequirements(parts.store, asked.Requires)
  })
  if (hostConfig.Requires?.some((text) => text.startsWith(id)))
    throw new DhowError("invalid", "A container cannot require itself")
  return hostConfig
}

function checkPolicy({ AutoRemove, RestartPolicy }: HostConfig, asked: ContainerUpdateRequest): void {
  const name = RestartPolicy?.Name ?? ""
  if (AutoRemove && name !== "" && name !== "no") {
    if (asked.AutoRemove) throw new DhowError("invalid", "can't create 'AutoRemove' container with restart policy")
    throw new DhowError("conflict", "Restart policy cannot be updated because AutoRemove is enabled for the container")
  }
}

/** What the new image says is a volume, and is not mounted yet. */
function imageVolumes(
  parts: ContainerParts,
  {
    config,
    hostConfig,
    mounts,
    prepared,
  }: Pick<Editable, "config" | "hostConfig" | "mounts"> & {
    readonly prepared: (volume: PreparedVolume) => void
  },
): ResolvedMount[] {
  const taken = new Set(mounts.map(({ Destination }) => Destination))
  const fresh = Object.fromEntries(Object.entries(config.Volumes ?? {}).filter(([path]) => !taken.has(path)))
  const tmpfs = hostConfig.Tmpfs === undefined ? {} : { Tmpfs: hostConfig.Tmpfs }
  return resolveMounts({ Volumes: fresh }, tmpfs, mountSources(parts, prepared))
}

/** As they would be, without making a volume. */
function dryMounts({ mountAdd }: Plan): ResolvedMount[] {
  return mountAdd.map((mount) => {
    if (mount.Type === "bind" && !mount.BindOptions?.CreateMountpoint && !existsSync(mount.Source ?? ""))
      throw new DhowError(
        "invalid",
        `invalid mount config for type "bind": bind source path does not exist: ${mount.Source}`,
      )
    const base = {
      Mode: "",
      RW: mount.ReadOnly !== true,
      Propagation: "",
      options: [],
      copyUp: false,
      anonymous: false,
    }
    return { ...base, Type: mount.Type, Source: mount.Source ?? "", Destination: mount.Target, createSource: false }
  })
}
