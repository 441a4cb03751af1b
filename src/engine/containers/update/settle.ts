// At boot: an update that an earlier engine did not finish is undone or finished, as `record.pending` says.
import { describeError } from "../../../lib/errors.ts"
import { log } from "../../../lib/log.ts"
import { openLiveMounts } from "../../../runtime/live-mounts/live-mounts.ts"
import { resolveUser } from "../../../runtime/user.ts"
import { placedMounts } from "../image-mounts.ts"
import { unmapAll } from "../mapped-mounts.ts"
import { runtimeMounts } from "../mounts.ts"
import type { ContainerParts } from "../parts.ts"
import { containerPaths } from "../paths.ts"
import { type Container, isRunning } from "../record.ts"
import { runtimeOf } from "../runtime.ts"
import { holdVolumes } from "../volume-holds.ts"
import { recreate, settleStopped } from "./recreate.ts"

/** For what does not run: nothing of it is left but the row. A restart that is due comes later. */
export function settleUpdateOfStopped(parts: ContainerParts, container: Container): void {
  const { pending } = container.record
  if (pending === undefined || container.state.status === "restarting") return
  if (pending.kind === "restarting") settleStopped(parts, container)
  else parts.store.amend(container.record.id, { pending: undefined })
}

export async function settleUpdate(parts: ContainerParts, { record, state }: Container): Promise<void> {
  const { id, pending } = record
  if (pending === undefined || !isRunning(state)) return
  if (pending.kind === "restarting" && pending.startedAt === state.startedAt) {
    log.info("Finishing an update that an earlier engine began", { container: id, name: record.name })
    const finished = parts.booted.promise.then(() => recreate(parts, id))
    parts.background.add(
      finished.catch((error: unknown) =>
        log.error("An update could not be finished", { container: id, error: describeError(error) }),
      ),
    )
    return
  }
  try {
    const { rootfs, mapped } = containerPaths(parts.config, id)
    const place = { pid: state.process.pid, id, rootfs, pids: [] }
    if (pending.kind === "attaching") {
      unmapAll(mapped)
      if (pending.rate) parts.networks.changeRate(id, record.hostConfig.NetRate ?? undefined).commit()
      if (pending.limits !== undefined) await runtimeOf(parts, record).update(id, pending.limits)
      await using live = await openLiveMounts({ ...place, attach: [], detach: [], restore: pending.mounts })
      await live.step("restore")
    } else if (pending.kind === "detaching") {
      const gone = new Set(pending.mounts.map(({ destination }) => destination))
      const replacing = placedMounts(record.mounts, containerPaths(parts.config, id)).filter(({ Destination }) =>
        gone.has(Destination),
      )
      await using held = await holdVolumes(parts.volumes, replacing)
      await using live = await openLiveMounts({
        ...place,
        attach: await runtimeMounts(held.mounts, {
          rootfs,
          user: () => resolveUser(rootfs, record.config.User ?? ""),
          mapped,
        }),
        detach: pending.mounts,
      })
      unmapAll(mapped)
      await live.step("detach")
    }
    log.info("Settled an update that an earlier engine did not finish", { container: id, update: pending.kind })
  } catch (error) {
    log.error("The mounts of a container are not what its row says", { container: id, error: describeError(error) })
  }
  parts.store.amend(id, { pending: undefined })
}
