// `rm`: refused while the container runs, unless it is forced.
import { DhowError } from "../../lib/errors.ts"
import type { Asker } from "../../wire/exit.ts"
import { erase } from "./erase.ts"
import { endHealthChecks } from "./health-checks.ts"
import { leaveBehind } from "./leftovers.ts"
import { removeLink } from "./links.ts"
import type { ContainerParts } from "./parts.ts"
import { type ContainerState, isRunning } from "./record.ts"
import { endByForce } from "./stop.ts"
import { describeStuck } from "./stuck.ts"

export type RemoveOptions = {
  readonly force?: boolean
  readonly volumes?: boolean
  readonly link?: boolean
  readonly keepLogs?: number | undefined
  readonly by?: Asker | undefined
}

/** `warning`: what of it could not be taken away yet. */
export type Removal = { readonly warning?: string }

export async function removeContainer(
  parts: ContainerParts,
  reference: string,
  options: RemoveOptions = {},
): Promise<Removal> {
  if (options.link) {
    await removeLink(parts, reference)
    return {}
  }
  const { record, state } = parts.store.resolve(reference)
  const { id } = record
  if (isInUse(state) && !options.force) throw stillRuns(reference, state)
  for (;;) {
    const running = await parts.locks.hold(id, async () => {
      const container = parts.store.find(id)
      if (container !== undefined && (options.force ? isRunning : isInUse)(container.state)) return container
      if (container !== undefined) await erase(parts, id, options)
      return undefined
    })
    if (running === undefined) return {}
    // It was running, or a start that we waited for has come before us.
    if (!options.force) throw stillRuns(reference, running.state)
    if (!(await endByForce(parts, id, { action: "remove", by: options.by })))
      return await removeStuck(parts, id, options)
  }
}

/** The container goes, its name and its files with it; what hangs in the kernel is left to the sweep. */
async function removeStuck(parts: ContainerParts, id: string, options: RemoveOptions): Promise<Removal> {
  return await parts.locks.hold(id, async () => {
    const container = parts.store.find(id)
    // It let go at the last moment.
    if (container === undefined) return {}
    if (!isRunning(container.state)) {
      await erase(parts, id, options)
      return {}
    }
    const warning = await describeStuck(parts, id)
    leaveBehind(parts, container.record, warning)
    endHealthChecks(parts, id)
    await erase(parts, id, { ...options, stuck: true })
    return { warning: `Removed, but ${warning}; what it holds is taken away when it lets go` }
  })
}

/** As in Docker, a container whose restart is due counts as running. */
function isInUse(state: ContainerState): boolean {
  return isRunning(state) || state.status === "restarting"
}

function stillRuns(reference: string, { status }: ContainerState): DhowError {
  const why =
    status === "paused"
      ? "container is paused and must be unpaused first"
      : `container is ${status}: stop the container before removing or force remove`
  return new DhowError("conflict", `cannot remove container "${reference}": ${why}`)
}
