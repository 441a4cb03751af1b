// What an update does to a container that runs: limits, published ports and mounts, each undone where a later one fails.
// Nothing is recorded here but what is under way (record.ts says what a crash makes of it).
import { crashpoint } from "../../../lib/crashpoint.ts"
import { DhowError } from "../../../lib/errors.ts"
import { unmountAll } from "../../../lib/syscalls/mount.ts"
import type { Undo } from "../../../lib/undo.ts"
import type { PortChange } from "../../../network/contract.ts"
import type { RuntimeResources } from "../../../oci/runtime-spec.ts"
import { resolveDevices } from "../../../runtime/devices.ts"
import {
  type LiveMountPlan,
  type LiveMounts,
  type MountUser,
  openLiveMounts,
} from "../../../runtime/live-mounts/live-mounts.ts"
import { changedResources } from "../../../runtime/resource-changes.ts"
import { resolveUser } from "../../../runtime/user.ts"
import type { HostConfig } from "../../../wire/container.ts"
import { mountImages, placedMounts } from "../image-mounts.ts"
import { unmapAll } from "../mapped-mounts.ts"
import { runtimeMounts } from "../mounts.ts"
import { donorOf } from "../namespaces.ts"
import type { ContainerParts } from "../parts.ts"
import { containerPaths } from "../paths.ts"
import type { ContainerRecord, ProcessReference, ResolvedMount } from "../record.ts"
import { runtimeOf } from "../runtime.ts"
import { holdVolumes } from "../volume-holds.ts"
import type { PortsAfter } from "./ports.ts"

type Changed = { readonly record: ContainerRecord; readonly undo: Undo }

/** What is to be told to the kernel, and what would make it as it was. Undefined where no limit changes. */
export function limitChanges(
  { host }: ContainerParts,
  record: ContainerRecord,
  hostConfig: HostConfig,
): { readonly change: RuntimeResources; readonly back: RuntimeResources } | undefined {
  const before = { ...record.hostConfig, ...throttles(record.hostConfig) }
  const after = { ...hostConfig, ...throttles(hostConfig) }
  const change = changedResources(before, after, host)
  return Object.keys(change).length === 0 ? undefined : { change, back: changedResources(after, before, host) }
}

export async function changeLimits(
  parts: ContainerParts,
  { record, undo }: Changed,
  { change, back }: { readonly change: RuntimeResources; readonly back: RuntimeResources },
): Promise<void> {
  const runtime = runtimeOf(parts, record)
  // Of several limits some may have been set when another is refused.
  undo.defer(() => runtime.update(record.id, back))
  try {
    await runtime.update(record.id, change)
  } catch (cause) {
    if (cause instanceof DhowError && cause.kind !== "internal") throw cause
    throw new DhowError("internal", `Cannot update container ${record.id}`, { cause })
  }
  crashpoint("container.update:after-limits")
}

/** Devices by their numbers, as the kernel knows them. */
function throttles(hostConfig: HostConfig): { readonly devices: ReturnType<typeof resolveDevices> } {
  const { BlkioDeviceReadBps, BlkioDeviceWriteBps, BlkioDeviceReadIOps, BlkioDeviceWriteIOps, BlkioWeightDevice } =
    hostConfig
  return {
    devices: resolveDevices({
      ...(BlkioDeviceReadBps ? { BlkioDeviceReadBps } : {}),
      ...(BlkioDeviceWriteBps ? { BlkioDeviceWriteBps } : {}),
      ...(BlkioDeviceReadIOps ? { BlkioDeviceReadIOps } : {}),
      ...(BlkioDeviceWriteIOps ? { BlkioDeviceWriteIOps } : {}),
      ...(BlkioWeightDevice ? { BlkioWeightDevice } : {}),
    }),
  }
}

/** Undefined where the container has no ports to change. */
export async function changePublished(
  parts: ContainerParts,
  { record, undo }: Changed,
  { remove, add }: PortsAfter,
): Promise<PortChange | undefined> {
  if (remove.length === 0 && Object.keys(add).length === 0) return undefined
  checkOwnNetwork(record)
  const change = await parts.networks.changePorts(record.id, { name: record.name, remove, add })
  undo.defer(() => change.undo())
  return change
}

export function checkOwnNetwork({ name, hostConfig, config }: ContainerRecord): void {
  const mode = hostConfig.NetworkMode ?? "bridge"
  if (mode === "host" || mode === "none" || donorOf(mode) !== undefined || config.NetworkDisabled)
    throw new DhowError("conflict", `Cannot publish ports of container "${name}": its network is "${mode}"`)
}

export type MountChange = {
  readonly add: readonly ResolvedMount[]
  /** Destinations. */
  readonly remove: readonly string[]
  readonly force: boolean
}

/** Ready to change the mounts: nothing is done yet but the mounts of images beside the container. Undefined for no change. */
export async function openMounts(
  parts: ContainerParts,
  { record, undo }: Changed,
  process: ProcessReference,
  change: MountChange,
): Promise<LiveMounts | undefined> {
  const { id } = record
  if (change.add.length === 0 && change.remove.length === 0) return undefined
  const paths = containerPaths(parts.config, id)
  const images = placedMounts(change.add, paths).filter(({ Type }) => Type === "image")
  undo.defer(() => {
    for (const { Source } of images) unmountAll(Source)
  })
  undo.defer(() => unmapAll(paths.mapped))
  // Whoever changes the container keeps them until its row names them.
  await using held = await holdVolumes(parts.volumes, change.add)
  const placed = mountImages(parts.snapshotter, { id, mounts: held.mounts }, paths)
  const live = await openLiveMounts({
    pid: process.pid,
    id,
    rootfs: paths.rootfs,
    pids: change.remove.length > 0 && !change.force ? await runtimeOf(parts, record).processes(id) : [],
    attach: await runtimeMounts(placed, {
      rootfs: paths.rootfs,
      user: () => resolveUser(paths.rootfs, record.config.User ?? ""),
      mapped: paths.mapped,
    }),
    detach: change.remove.map((destination) => ({ destination })),
  })
  // It holds its own copies.
  unmapAll(paths.mapped)
  try {
    if (!change.force) refuseUsed(live)
    return live
  } catch (error) {
    await live[Symbol.asyncDispose]()
    throw error
  }
}

/** Those that lie nowhere yet; what is replaced follows when the row says so. */
export function freshMounts({ plan }: LiveMounts): LiveMountPlan["attach"] {
  const replaced = new Set(plan.detach.map(({ destination }) => destination))
  return plan.attach.filter(({ destination }) => !replaced.has(destination))
}

function refuseUsed({ plan }: LiveMounts): void {
  for (const { destination, users } of plan.detach) {
    if (users.length === 0) continue
    const named = users.slice(0, 3).map(sentence).join(", ")
    const more = users.length > 3 ? `, and ${users.length - 3} more` : ""
    throw new DhowError("conflict", `Cannot take away the mount at "${destination}": ${named}${more}`, {
      hint: "With --force it goes out of sight, and whoever uses it keeps it",
    })
  }
}

function sentence({ pid, program, use }: MountUser): string {
  return `process ${pid} (${program}) ${use}`
}
