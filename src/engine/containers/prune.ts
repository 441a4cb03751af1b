// Removes what does not run.
import { crashpoint } from "../../lib/crashpoint.ts"
import { DhowError, describeError, isKind } from "../../lib/errors.ts"
import { log } from "../../lib/log.ts"
import type { Filters } from "../contract.ts"
import { matchLabels, rejectUnknownFilters, untilFilter } from "../filters.ts"
import type { ContainerParts } from "./parts.ts"
import { isRunning } from "./record.ts"
import { removeContainer } from "./remove.ts"

type PruneReport = { ContainersDeleted: string[] | null; SpaceReclaimed: number }

/** One at a time for each engine. */
export function openPrune(parts: ContainerParts): (filters: Filters) => Promise<PruneReport> {
  let isPruning = false
  return async (filters) => {
    if (isPruning) throw new DhowError("conflict", "a prune operation is already running")
    isPruning = true
    try {
      return await pruneContainers(parts, filters)
    } finally {
      isPruning = false
    }
  }
}

async function pruneContainers(parts: ContainerParts, filters: Filters): Promise<PruneReport> {
  rejectUnknownFilters(filters, ["label", "label!", "until"])
  const until = untilFilter(filters)
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
      crashpoint("container.prune:after-one")
    } catch (error) {
      // Somebody was quicker: it runs again, or is gone. One that cannot be removed must not keep the others.
      if (!isKind(error, "conflict") && !isKind(error, "not-found"))
        log.warn("A container could not be pruned", { container: record.id, error: describeError(error) })
    }
  }
  parts.events.emit("container", "prune", "", { reclaimed: String(reclaimed) })
  return { ContainersDeleted: deleted.length === 0 ? null : deleted, SpaceReclaimed: reclaimed }
}
