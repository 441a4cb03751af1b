// `rm`: refused while the container runs, unless it is forced.
import { DhowError } from "../../lib/errors.ts"
import type { Asker } from "../../wire/exit.ts"
import { erase } from "./erase.ts"
import type { ContainerParts } from "./parts.ts"
import { type ContainerRecord, type ContainerState, isRunning } from "./record.ts"
import { killAndWait } from "./stop.ts"

export type RemoveOptions = {
  readonly force?: boolean
  readonly volumes?: boolean
  readonly link?: boolean
  readonly by?: Asker | undefined
}

export async function removeContainer(
  parts: ContainerParts,
  reference: string,
  options: RemoveOptions = {},
): Promise<void> {
  if (options.link)
    throw new DhowError("not-implemented", `Cannot remove link "${reference}": links are not available in this version`)
  const { record, state } = parts.store.resolve(reference)
  const { id } = record
  if (isInUse(state) && !options.force) throw stillRuns(record, state)
  for (;;) {
    const running = await parts.locks.hold(id, async () => {
      const container = parts.store.find(id)
      if (container !== undefined && (options.force ? isRunning : isInUse)(container.state)) return container
      if (container !== undefined) await erase(parts, id, options)
      return undefined
    })
    if (running === undefined) return
    // It was running, or a start that we waited for has come before us.
    if (!options.force) throw stillRuns(running.record, running.state)
    await killAndWait(parts, id, { action: "remove", by: options.by })
  }
}

/** As in Docker, a container whose restart is due counts as running. */
function isInUse(state: ContainerState): boolean {
  return isRunning(state) || state.status === "restarting"
}

function stillRuns(record: ContainerRecord, state: ContainerState): DhowError {
  const how =
    state.status === "paused"
      ? "unpause and then stop the container before removal or force remove"
      : "stop the container before removal or force remove"
  return new DhowError("conflict", `cannot remove container "${record.name}": container is ${state.status}: ${how}`)
}
