// Removes what does not run.
import type { Filters } from "../contract.ts"
import { matchLabels, rejectUnknownFilters } from "../filters.ts"
import { parseMoment } from "../moment.ts"
import type { ContainerParts } from "./parts.ts"
import { isRunning } from "./record.ts"
import { removeContainer } from "./remove.ts"

export async function pruneContainers(
  parts: ContainerParts,
  filters: Filters,
): Promise<{ ContainersDeleted: string[]; SpaceReclaimed: number }> {
  rejectUnknownFilters(filters, ["label", "label!", "until"])
  const [untilText] = filters.get("until") ?? []
  const until = untilText === undefined ? undefined : parseMoment(untilText)
  const deleted: string[] = []
  let reclaimed = 0
  for (const { record, state } of parts.store.all()) {
    if (isRunning(state) || state.status === "restarting") continue
    if (until !== undefined && Date.parse(record.created) > until) continue
    if (!matchLabels(filters, record.config.Labels ?? {})) continue
    reclaimed += await parts.snapshotter.usage(record.id)
    await removeContainer(parts, record.id)
    deleted.push(record.id)
  }
  return { ContainersDeleted: deleted, SpaceReclaimed: reclaimed }
}
