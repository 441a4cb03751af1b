// The end of a container: the row first, everything on disk last. Once the row is gone the name is free and the container
// does not exist; what is left is garbage that this call, or the sweep after a crash, takes away.
import { rmSync } from "node:fs"
import { crashpoint } from "../../lib/crashpoint.ts"
import { describeError } from "../../lib/errors.ts"
import { log } from "../../lib/log.ts"
import { attributesOf } from "./attributes.ts"
import { snapshotKeys } from "./image-mounts.ts"
import { keepLog } from "./keep-log.ts"
import type { ContainerParts } from "./parts.ts"
import { containerPaths } from "./paths.ts"
import type { ContainerRecord } from "./record.ts"
import { tearDown } from "./teardown.ts"
import { volumeUsers } from "./volume-users.ts"

export type EraseOptions = {
  readonly volumes?: boolean
  /** Processes of it hang in the kernel: the runtime is not asked to delete what it cannot. */
  readonly stuck?: boolean
  /** Milliseconds that the log is kept; as its options say where absent. */
  readonly keepLogs?: number | undefined
}

/** By whoever holds the lock; the container does not run. */
export async function erase(parts: ContainerParts, id: string, options: EraseOptions): Promise<void> {
  const { record, state } = parts.store.get(id)
  const live = parts.live.of(id)
  clearTimeout(live.restart?.timer)
  // What it wrote last goes out first, as far as its receiver takes it.
  if (options.stuck) await parts.forwarders.stop(id)
  else await parts.forwarders.end(id)
  const recordLog = await keepLog(parts, record, options.keepLogs)
  crashpoint("container.remove:before-row")
  const volumes = options.volumes ? ownVolumes(parts, record) : []
  parts.store.delete(id, () => {
    parts.volumes.condemn(volumes)
    recordLog()
  })
  crashpoint("container.remove:after-row")
  parts.imageUsed(record.imageId)
  parts.events.emit("container", "destroy", id, attributesOf(record))
  live.clients.end()
  live.runEnded()
  live.answer({ StatusCode: state.exitCode }, ["removed", "next-exit", "not-running"])
  parts.live.forget(id)
  // The answer does not wait for the files, nor for who reads them, but for volumes that were to go with them.
  const cleared = live.teardown.then(() => clearFiles(parts, record, { volumes, stuck: options.stuck }))
  parts.background.add(cleared)
  if (volumes.length > 0 && !options.stuck && !parts.readers.has(id)) await cleared
}

/** Takes away what a container without a row left. */
export async function clearFiles(
  parts: ContainerParts,
  record: ContainerRecord,
  { volumes, stuck }: { readonly volumes: readonly string[]; readonly stuck?: boolean | undefined },
): Promise<void> {
  await tearDown(parts, record, { stuck })
  await parts.readers.gone(record.id)
  try {
    for (const key of snapshotKeys(record)) await parts.snapshotter.remove(key)
    crashpoint("container.remove:after-snapshot")
    rmSync(containerPaths(parts.config, record.id).state, { recursive: true, force: true })
    for (const volume of volumes) await parts.volumes.discard(volume)
  } catch (error) {
    log.warn("Files of a removed container are still there; the next start of the engine sweeps them", {
      container: record.id,
      error: describeError(error),
    })
  }
}

/** The anonymous volumes that nobody else mounts. */
function ownVolumes(parts: ContainerParts, { id, mounts }: ContainerRecord): string[] {
  const names = mounts.flatMap(({ Name }) => (Name !== undefined && parts.volumes.isAnonymous(Name) ? [Name] : []))
  return names.filter((name) => volumeUsers(parts, name).every((user) => user === id))
}
