// POST /images/prune: removes dangling images, or with dangling=false every image no container uses; the filters of
// policy.ts spare some. One prune at a time, as in Docker.
import { DhowError, isKind } from "../../../lib/errors.ts"
import { log } from "../../../lib/log.ts"
import type { PrunePlan } from "../../../wire/disk.ts"
import type { ImageDeleteEntry } from "../../../wire/image.ts"
import type { Filters } from "../../contract.ts"
import { layerSize } from "../chains.ts"
import { familiar, type ImagesContext } from "../context.ts"
import { removeImage } from "../remove.ts"
import { describePlan, type Planned, planPrune } from "./plan.ts"
import { prunePolicy } from "./policy.ts"

export type PruneReport = { readonly ImagesDeleted: ImageDeleteEntry[] | null; readonly SpaceReclaimed: number }

export type Pruner = {
  prune(filters: Filters): Promise<PruneReport>
  plan(filters: Filters): PrunePlan
}

export function imagePruner(context: ImagesContext): Pruner {
  let isRunning = false

  async function prune(filters: Filters): Promise<PruneReport> {
    const policy = prunePolicy(filters)
    const sizes = chainSizes(context)
    const deleted: ImageDeleteEntry[] = []
    for (const planned of planPrune(context, policy)) {
      if (!planned.isRemoved) continue
      deleted.push(...removePlanned(context, planned))
      // Others have their turn between two images.
      await new Promise<void>((resolve) => setImmediate(resolve))
    }
    await context.collect()
    const reclaimed = deleted.reduce(
      (sum, entry) => sum + ("Deleted" in entry ? (sizes.get(entry.Deleted) ?? 0) : 0),
      0,
    )
    context.emit("prune", "", { reclaimed: String(reclaimed) })
    return { ImagesDeleted: deleted.length === 0 ? null : deleted, SpaceReclaimed: reclaimed }
  }

  return {
    async prune(filters) {
      if (isRunning) throw new DhowError("conflict", "a prune operation is already running")
      isRunning = true
      try {
        return await prune(filters)
      } finally {
        isRunning = false
      }
    },
    plan: (filters) => describePlan(context, planPrune(context, prunePolicy(filters))),
  }
}

/** Takes the names away that led to the image when it was judged: one that has moved meanwhile stays. */
export function removePlanned(context: ImagesContext, { group }: Planned): readonly ImageDeleteEntry[] {
  if (group.references.length === 0) return removeUnlessUsed(context, group.image.id)
  return group.references.flatMap((name) => {
    const target = context.records.tag(name)?.target
    return target !== undefined && group.targets.includes(target) ? removeUnlessUsed(context, familiar(name)) : []
  })
}

function removeUnlessUsed(context: ImagesContext, name: string): readonly ImageDeleteEntry[] {
  try {
    return removeImage(context, name, { force: false })
  } catch (error) {
    // Gone already with an earlier name, or used: neither is a failure of the whole.
    if (!isKind(error, "conflict") && !isKind(error, "not-found"))
      log.warn("Cannot prune image", { image: name, error: String(error) })
    return []
  }
}

/** Bytes of each layer by its chain id, taken before the layers are gone. */
function chainSizes({ records, configs, snapshotter }: ImagesContext): ReadonlyMap<string, number> {
  const sizes = new Map<string, number>()
  for (const { id } of records.images()) {
    const layers = configs.layers(id)
    for (const [at, chain] of configs.chain(id).entries())
      if (!sizes.has(chain)) sizes.set(chain, layerSize(snapshotter, layers[at]!))
  }
  return sizes
}
