// `rm`: refused while the container runs, unless it is forced.
import { DhowError } from "../../lib/errors.ts"
import { erase } from "./erase.ts"
import type { ContainerParts } from "./parts.ts"
import { isRunning } from "./record.ts"
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
    await erase(parts, id, options)
  })
}
