// A restart that an update needs: the row says already what the container is to be, and what it was. Killed at any point,
// the next engine finishes it; where the container cannot be started so, it is what it was (start.ts).
import { DhowError } from "../../../lib/errors.ts"
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
  if (isRunning(state) && state.startedAt === pending.startedAt)
    await stopContainer(parts, id, { by: { Kind: "engine", Reason: "update" } })
  await parts.locks.hold(id, async () => {
    const container = parts.store.find(id)
    if (container === undefined) throw new DhowError("not-found", `No such container: ${id}`)
    if (container.record.pending?.kind !== "restarting") return
    if (container.state.status === "restarting") await parts.start(id, 0)
    // Somebody has stopped it meanwhile, and that is what it stays.
    else settleStopped(parts, container)
  })
}

/** For a container that does not run and is not to be started: what it stands on follows the row. */
export function settleStopped(parts: ContainerParts, { record }: Container): void {
  parts.store.amend(
    record.id,
    { pending: undefined },
    { together: () => parts.snapshotter.rebase(record.id, record.layers) },
  )
}
