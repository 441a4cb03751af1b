// Removes what does not run.
import { DhowError, isKind } from "../../lib/errors.ts"
import { parseTimestamp } from "../../lib/timestamp.ts"
import type { Filters } from "../contract.ts"
import { matchLabels, rejectUnknownFilters } from "../filters.ts"
import type { ContainerParts } from "./parts.ts"
import { isRunning } from "./record.ts"
import { removeContainer } from "./remove.ts"

export async function pruneContainers(
  parts: ContainerParts,
  filters: Filters,
): Promise<{ ContainersDeleted: string[] | null; SpaceReclaimed: number }> {
  rejectUnknownFilters(filters, ["label", "label!", "until"])
  const [untilText, ...more] = filters.get("until") ?? []
  if (more.length > 0) throw new DhowError("invalid", "more than one until filter specified")
  const until = untilText === undefined ? undefined : parseTimestamp(untilText)
  const deleted: string[] = []
  let reclaimed = 0
  for (const { record, state } of parts.store.all()) {
    if (isRunning(state) || state.status === "restarting") continue
    if (until !== undefined && Date.parse(record.created) > until) continue
    if (!matchLabels(filters, record.config.Labels ?? {})) continue
    try {
      const size = await parts.snapshotter.usage(record.id)
      await removeContainer(parts, record.id)
      reclaimed += size
      deleted.push(record.id)
    } catch (error) {
      // Somebody was quicker: it runs again, or is gone.
      if (!isKind(error, "conflict") && !isKind(error, "not-found")) throw error
    }
  }
  parts.events.emit("container", "prune", "", { reclaimed: String(reclaimed) })
  return { ContainersDeleted: deleted.length === 0 ? null : deleted, SpaceReclaimed: reclaimed }
}
