// Remove: the row first, everything on disk last. Once the row is gone the name is free and the container does not
// exist; what is left is garbage that this call, or the sweep after a crash, takes away.
import { rmSync } from "node:fs"
import { crashpoint } from "../../lib/crashpoint.ts"
import { DhowError, describeError } from "../../lib/errors.ts"
import { log } from "../../lib/log.ts"
import { attributesOf } from "./attributes.ts"
import { tearDown } from "./exits.ts"
import type { ContainerParts } from "./parts.ts"
import { containerPaths } from "./paths.ts"
import { type ContainerRecord, isRunning } from "./record.ts"
import { killAndWait } from "./stop.ts"

export type RemoveOptions = { readonly force?: boolean; readonly volumes?: boolean; readonly link?: boolean }

export async function removeContainer(
  parts: ContainerParts,
  reference: string,
  options: RemoveOptions = {},
): Promise<void> {
  if (options.link)
    throw new DhowError("not-implemented", `Cannot remove link "${reference}": links are not available in this version`)
  const { record, state } = parts.store.resolve(reference)
  const { id } = record
  if (isRunning(state)) {
    if (!options.force) {
      const how =
        state.status === "paused"
          ? "unpause and then stop the container before removal or force remove"
          : "stop the container before removal or force remove"
      throw new DhowError("conflict", `cannot remove container "${record.name}": container is ${state.status}: ${how}`)
    }
    await killAndWait(parts, id)
  }
  await parts.locks.hold(id, async () => {
    if (parts.store.find(id) === undefined) return
    if (isRunning(parts.store.get(id).state))
      throw new DhowError(
        "conflict",
        `cannot remove container "${record.name}": container is running: stop the container before removal or force remove`,
      )
    await removeLocked(parts, id, options)
  })
}

/** By whoever holds the lock; the container does not run. */
export async function removeLocked(parts: ContainerParts, id: string, options: RemoveOptions): Promise<void> {
  const { record, state } = parts.store.get(id)
  const live = parts.live.of(id)
  clearTimeout(live.restart?.timer)
  crashpoint("container.remove:before-row")
  parts.store.delete(id)
  crashpoint("container.remove:after-row")
  parts.events.emit("container", "destroy", id, attributesOf(record))
  live.clients.end()
  live.answer({ StatusCode: state.exitCode }, ["removed", "next-exit", "not-running"])
  parts.live.forget(id)
  // The answer does not wait for the files.
  const cleared = live.teardown.then(() => clearFiles(parts, record, options.volumes ?? false))
  parts.background.add(cleared)
}

/** Takes away what a container without a row left. */
export async function clearFiles(parts: ContainerParts, record: ContainerRecord, volumes: boolean): Promise<void> {
  await tearDown(parts, record)
  try {
    await parts.snapshotter.remove(record.id)
    crashpoint("container.remove:after-snapshot")
    rmSync(containerPaths(parts.config, record.id).state, { recursive: true, force: true })
    if (volumes) removeAnonymousVolumes(parts, record)
  } catch (error) {
    log.warn("Files of a removed container are still there; the next start of the engine sweeps them", {
      container: record.id,
      error: describeError(error),
    })
  }
}

function removeAnonymousVolumes(parts: ContainerParts, record: ContainerRecord): void {
  for (const mount of record.mounts) {
    if (mount.Name === undefined || !parts.volumes.isAnonymous(mount.Name)) continue
    if (volumeUsers(parts, mount.Name).length === 0) parts.volumes.discard(mount.Name)
  }
}

/** Ids of the containers that mount a volume. */
export function volumeUsers(parts: Pick<ContainerParts, "store">, volume: string): string[] {
  return parts.store
    .all()
    .filter(({ record }) => record.mounts.some((mount) => mount.Name === volume))
    .map(({ record }) => record.id)
}
