// `update`: what a container was created with is changed, at once where the kernel lets it, else for its next start. What
// is done to a running process comes first and the row last; `record.pending` tells a crash in between what to do.
import { answering } from "../../../lib/answering.ts"
import { crashpoint } from "../../../lib/crashpoint.ts"
import { DhowError, describeError } from "../../../lib/errors.ts"
import { log } from "../../../lib/log.ts"
import { unmountAll } from "../../../lib/syscalls/mount.ts"
import { Undo } from "../../../lib/undo.ts"
import type { PortChange } from "../../../network/contract.ts"
import type { LiveMounts } from "../../../runtime/live-mounts/live-mounts.ts"
import { verifyResources } from "../../../runtime/verify-resources.ts"
import type { ContainerUpdateRequest, ContainerUpdateResponse, UpdateChange } from "../../../wire/update.ts"
import type { Caller } from "../../contract.ts"
import type { PreparedVolume } from "../../volumes/volumes.ts"
import { attributesOf } from "../attributes.ts"
import { relog } from "../feed-log.ts"
import { changeHealthChecks } from "../health-checks.ts"
import { placedMounts, prepareImages, removeImages, withPlaces } from "../image-mounts.ts"
import { withChosenMap } from "../mount-map.ts"
import { shownPorts } from "../network.ts"
import type { ContainerParts } from "../parts.ts"
import { containerPaths } from "../paths.ts"
import { type Container, type ContainerState, type Editable, isRunning, type ResolvedMount } from "../record.ts"
import { armTimeLimit } from "../time-limit.ts"
import { holdVolumes, volumeNames } from "../volume-holds.ts"
import { changeLimits, changePublished, freshMounts, limitChanges, openMounts } from "./live.ts"
import { changesBetween, type Plan } from "./plan.ts"
import { isOwnRequest, prepare } from "./prepare.ts"
import { pendingRestart, recreate } from "./recreate.ts"

export async function updateContainer(
  parts: ContainerParts,
  reference: string,
  asked: ContainerUpdateRequest,
  caller: () => Caller | undefined,
): Promise<ContainerUpdateResponse> {
  const { resources: checked, warnings } = verifyResources(asked, parts.host, { update: true })
  const { MountAdd: added } = checked
  const resources =
    added === undefined ? checked : { ...checked, MountAdd: added.map((mount) => withChosenMap(mount, caller)) }
  const { id } = parts.store.resolve(reference).record
  const { changes, restarts, ...more } = await parts.locks.hold(id, () => updateLocked(parts, id, resources))
  if (restarts) await recreate(parts, id)
  return {
    Warnings: [...warnings, ...more.warnings],
    ...(isOwnRequest(asked) ? { Changes: changes, Restarted: restarts } : {}),
  }
}

type Outcome = {
  readonly changes: UpdateChange[]
  readonly warnings: readonly string[]
  /** Still to be done, without the lock. */
  readonly restarts: boolean
}

async function updateLocked(parts: ContainerParts, id: string, asked: ContainerUpdateRequest): Promise<Outcome> {
  const container = parts.store.get(id)
  const { record, state } = container
  if (state.status === "removing" || state.status === "dead")
    throw new DhowError(
      "internal",
      `Cannot update container ${id}: container is marked for removal and cannot be "update"`,
    )
  if (record.pending !== undefined)
    throw new DhowError("conflict", `Cannot update container "${record.name}": another update of it is under way`)
  const runs = isRunning(state)
  await answering((asked.MountAdd ?? []).flatMap(({ Type, Source }) => (Type === "bind" && Source ? [Source] : [])))
  await using undo = new Undo(`update of container "${record.name}"`)
  const volumes: PreparedVolume[] = []
  const next = prepare(parts, container, asked, (volume) => {
    volumes.push(volume)
    undo.defer(volume.undo)
  })
  const { after, plan, warnings } = next
  const changes = changesBetween(record, { ...after, config: { ...after.config, Image: after.image } }, runs)
  const needs = (effect: UpdateChange["Effect"]): boolean => changes.some((change) => change.Effect === effect)
  const restarts = runs && asked.RestartNow === true && (needs("restart") || needs("recreate"))
  if (needs("recreate") && !restarts && asked.DryRun !== true)
    throw new DhowError("conflict", `Cannot change the image of container "${record.name}" while it runs`, {
      hint: "With --restart-now it is restarted on the new one",
    })
  if (asked.DryRun === true) return { changes, warnings, restarts: false }

  const added = after.mounts.filter(
    ({ Destination }) =>
      plan.mountRm.includes(Destination) || !record.mounts.some((mount) => mount.Destination === Destination),
  )
  const gone = withPlaces(record.mounts).filter(({ Destination }) => plan.mountRm.includes(Destination))
  undo.defer(() => removeImages(parts.snapshotter, { id, mounts: added }))
  await prepareImages(parts.snapshotter, { id, mounts: added }, (image) => parts.resolveImage(image).layers)
  const commitVolumes = (): void => {
    for (const volume of volumes) volume.commit()
  }
  if (restarts) {
    parts.store.amend(id, { ...after, pending: pendingRestart(container) }, { together: commitVolumes })
    crashpoint("container.update:before-restart")
  } else if (runs)
    await changeRunning(parts, container, {
      after,
      plan,
      added,
      gone,
      undo,
      commitVolumes,
      force: asked.Force === true,
    })
  else {
    const isOther = JSON.stringify(after.layers) !== JSON.stringify(record.layers)
    parts.store.amend(id, after, {
      together: () => {
        commitVolumes()
        if (isOther) parts.snapshotter.rebase(id, after.layers)
      },
    })
  }
  undo.forget()
  // A restart may still have to go back to them.
  if (!restarts) await removeImages(parts.snapshotter, { id, mounts: gone })
  if (after.imageId !== record.imageId) parts.imageUsed(after.imageId)
  parts.events.emit("container", "update", id, attributesOf(parts.store.get(id).record))
  return { changes, warnings, restarts }
}

type RunningChange = {
  readonly after: Editable
  readonly plan: Plan
  readonly added: readonly ResolvedMount[]
  readonly gone: readonly ResolvedMount[]
  readonly undo: Undo
  readonly commitVolumes: () => void
  readonly force: boolean
}

/** Everything that is live, then the row, then what is to go. */
async function changeRunning(
  parts: ContainerParts,
  { record, state }: Container,
  { after, plan, added, gone, undo, commitVolumes, force }: RunningChange,
): Promise<void> {
  if (!isRunning(state)) return
  const { id } = record
  const changed = { record, undo }
  await using _volumes = await holdVolumes(parts.volumes, added)
  let mounts: LiveMounts | undefined
  try {
    const change = { add: added, remove: plan.mountRm, force }
    mounts = await openMounts(parts, changed, state.process, change)
    const fresh = mounts === undefined ? [] : freshMounts(mounts)
    const limits = limitChanges(parts, record, after.hostConfig)
    const isOtherRate = JSON.stringify(after.hostConfig.NetRate) !== JSON.stringify(record.hostConfig.NetRate)
    if (fresh.length > 0 || limits !== undefined || isOtherRate) {
      const back = { ...(limits && { limits: limits.back }), ...(isOtherRate && { rate: true as const }) }
      parts.store.amend(id, { pending: { kind: "attaching", mounts: fresh, ...back } })
      undo.defer(() => parts.store.amend(id, { pending: undefined }))
      crashpoint("container.update:before-live")
    }
    if (limits !== undefined) await changeLimits(parts, changed, limits)
    if (mounts !== undefined && fresh.length > 0) {
      await mounts.step("attach")
      undo.defer(() => mounts?.step("undo"))
      crashpoint("container.update:after-attach")
    }
    if (JSON.stringify(after.hostConfig.LogConfig) !== JSON.stringify(record.hostConfig.LogConfig)) {
      const relogged = { ...record, ...after }
      await relog(parts, { before: record, after: relogged })
      undo.defer(() => relog(parts, { before: relogged, after: record }).then(() => undefined))
    }
    const ports = await changePublished(parts, changed, plan.ports)
    const rate = isOtherRate ? parts.networks.changeRate(id, after.hostConfig.NetRate ?? undefined) : undefined
    undo.defer(() => rate?.undo())
    crashpoint("container.update:before-row")
    const pending =
      mounts !== undefined && change.remove.length > 0
        ? {
            kind: "detaching" as const,
            mounts: mounts.plan.detach.map(({ destination, depth }) => ({ destination, least: depth })),
          }
        : undefined
    const checksChange = JSON.stringify(after.config.Healthcheck) !== JSON.stringify(record.config.Healthcheck)
    parts.store.amend(
      id,
      { ...after, pending },
      {
        state: withPorts(parts.store.get(id).state, after, ports),
        together: () => {
          commitVolumes()
          ports?.commit()
          rate?.commit()
        },
      },
    )
    undo.forget()
    if (checksChange) changeHealthChecks(parts, id)
    armTimeLimit(parts, id)
    if (pending !== undefined) await finishMounts(parts, { id, gone }, mounts!)
  } catch (error) {
    // Undone while the process that did it is still there.
    await undo[Symbol.asyncDispose]()
    throw error
  } finally {
    await mounts?.[Symbol.asyncDispose]()
  }
}

async function finishMounts(
  parts: ContainerParts,
  { id, gone }: { readonly id: string; readonly gone: readonly ResolvedMount[] },
  mounts: LiveMounts,
): Promise<void> {
  crashpoint("container.update:before-detach")
  try {
    await mounts.step("detach")
  } catch (error) {
    log.error("A mount could not be taken from a container", { container: id, error: describeError(error) })
  }
  crashpoint("container.update:after-detach")
  for (const { Type, Source } of placedMounts(gone, containerPaths(parts.config, id)))
    if (Type === "image") unmountAll(Source)
  parts.store.amend(id, { pending: undefined })
  await parts.volumes.left(volumeNames(gone))
}

function withPorts(state: ContainerState, { config }: Editable, ports: PortChange | undefined): ContainerState {
  if (ports === undefined || !isRunning(state)) return state
  const shown = shownPorts(Object.keys(config.ExposedPorts ?? {}), ports.ports)
  return { ...state, process: { ...state.process, ports: shown } }
}
