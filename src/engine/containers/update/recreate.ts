// A restart that an update needs: the row says already what the container is to be, and what it was. Killed at any point,
// the next engine finishes it; where the container cannot be started so, it is what it was (start.ts).
import { DhowError } from "../../../lib/errors.ts"
import { ownerOfSnapshot, snapshotKeys } from "../image-mounts.ts"
import type { ContainerParts } from "../parts.ts"
import { type Container, type Editable, isRunning, type PendingUpdate } from "../record.ts"
import { stopContainer } from "../stop.ts"

export function pendingRestart({ record, state }: Container): PendingUpdate {
  const { config, hostConfig, networkingConfig, mounts, image, imageId, manifest, platform, layers } = record
  const before: Editable = { config, hostConfig, networkingConfig, mounts, image, imageId, manifest, platform, layers }
  const address = isRunning(state)
    ? Object.values(state.process.endpoints).find(({ IPAddress }) => IPAddress)?.IPAddress
    : undefined
  return {
    kind: "restarting",
    before,
    startedAt: state.startedAt,
    ...(address === undefined ? {} : { address }),
  }
}

/** Stops and starts it. Throws where it could not be started; it runs as before then. */
export async function recreate(parts: ContainerParts, id: string): Promise<void> {
  const { record, state } = parts.store.get(id)
  const { pending } = record
  if (pending?.kind !== "restarting") return
  if (isRunning(state) && state.startedAt === pending.startedAt) await stopForUpdate(parts, id)
  await parts.locks.hold(id, async () => {
    const container = parts.store.find(id)
    if (container === undefined) throw new DhowError("not-found", `No such container: ${id}`)
    if (container.record.pending?.kind !== "restarting") return
    if (container.state.status === "restarting") await parts.start(id, 0)
    // Somebody has stopped it meanwhile, and that is what it stays.
    else settleStopped(parts, container)
  })
  await removeUnused(parts, id)
}

/** One that cannot be stopped is what it was, and goes on. */
async function stopForUpdate(parts: ContainerParts, id: string): Promise<void> {
  try {
    await stopContainer(parts, id, { by: { Kind: "engine", Reason: "update" } })
  } catch (error) {
    await parts.locks.hold(id, () => {
      const container = parts.store.find(id)
      if (container?.record.pending?.kind === "restarting" && isRunning(container.state))
        parts.store.amend(id, { ...container.record.pending.before, pending: undefined })
    })
    throw error
  }
}

/** Snapshots of images that it mounted before. */
async function removeUnused(parts: ContainerParts, id: string): Promise<void> {
  const container = parts.store.find(id)
  if (container === undefined) return
  const used = snapshotKeys(container.record)
  for (const key of parts.snapshotter.keys())
    if (ownerOfSnapshot(key) === id && !used.includes(key)) await parts.snapshotter.remove(key)
}

/** For a container that does not run and is not to be started: what it stands on follows the row. */
export function settleStopped(parts: ContainerParts, { record }: Container): void {
  parts.store.amend(
    record.id,
    { pending: undefined },
    { together: () => parts.snapshotter.rebase(record.id, record.layers) },
  )
}
