// Prune: removes what no container uses. As with Docker not what has options, whose files are elsewhere or were paid for.
import { DhowError } from "../../lib/errors.ts"
import type { Filters } from "../contract.ts"
import { matchLabels } from "../filters.ts"
import { sizeOf } from "./describe.ts"
import type { VolumeParts } from "./parts.ts"
import type { Volume } from "./record.ts"

type Prunable = {
  readonly parts: VolumeParts
  find(name: string): Volume | undefined
  isBusy(volume: Volume): boolean
  discard(name: string): Promise<void>
}

export async function pruneVolumes(
  volumes: Prunable,
  { all, filters }: { readonly all: boolean; readonly filters: Filters },
): Promise<{ VolumesDeleted: string[]; SpaceReclaimed: number }> {
  const { rows, places, usedBy, events } = volumes.parts
  const VolumesDeleted: string[] = []
  let SpaceReclaimed = 0
  const isPrunable = (volume: Volume): boolean =>
    (all || volume.anonymous) &&
    usedBy(volume.name).length === 0 &&
    !volumes.isBusy(volume) &&
    Object.keys(volume.record.options).length === 0 &&
    matchLabels(filters, volume.record.labels)
  for (const volume of rows.all()) {
    if (!isPrunable(volume)) continue
    const size = (await sizeOf(volume, places)) ?? 0
    // Counting takes a while: somebody may have taken it meanwhile, or been quicker.
    if (volumes.find(volume.name)?.id !== volume.id || !isPrunable(volume)) continue
    try {
      await volumes.discard(volume.name)
    } catch (error) {
      if (error instanceof DhowError && error.kind === "conflict") continue
      throw error
    }
    SpaceReclaimed += size
    VolumesDeleted.push(volume.name)
  }
  events.emit("volume", "prune", "", { reclaimed: String(SpaceReclaimed) })
  return { VolumesDeleted, SpaceReclaimed }
}
