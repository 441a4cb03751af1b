// POST /images/prune: removes dangling images, or with dangling=false every image no container uses.
import { DhowError, isKind } from "../../lib/errors.ts"
import { log } from "../../lib/log.ts"
import { parseTimestamp } from "../../lib/timestamp.ts"
import type { ImageDeleteEntry } from "../../wire/image.ts"
import type { Filters } from "../contract.ts"
import { rejectUnknownFilters } from "../filters.ts"
import { chainIdsOf, layerSize } from "./chains.ts"
import { familiar, type ImagesContext, isCanonical } from "./context.ts"
import { booleanFilter, matchesLabels } from "./filters.ts"
import { groupImages } from "./groups.ts"
import { removeImage } from "./remove.ts"

const ACCEPTED = ["dangling", "label", "label!", "until"]

export async function pruneImages(
  context: ImagesContext,
  filters: Filters,
): Promise<{ ImagesDeleted: ImageDeleteEntry[]; SpaceReclaimed: number }> {
  rejectUnknownFilters(filters, ACCEPTED)
  const danglingOnly = booleanFilter(filters, "dangling", true)
  const until = untilOf(filters)
  const unwanted = filters.get("label!") ?? []
  const sizes = chainSizes(context)
  const used = new Set(context.containers().map((container) => container.imageId))
  const deleted: ImageDeleteEntry[] = []
  for (const { image, references } of groupImages(context.records)) {
    if (image.created_at > until || used.has(image.id)) continue
    const labels = context.configs.read(image.id).config?.Labels
    if (!matchesLabels(filters.get("label") ?? [], labels)) continue
    if (unwanted.length > 0 && matchesLabels(unwanted, labels)) continue
    if (danglingOnly && references.some((name) => !isCanonical(name))) continue
    const names = references.length === 0 ? [image.id] : references.map(familiar)
    for (const name of names) deleted.push(...removeUnlessUsed(context, name))
  }
  await context.collect()
  const reclaimed = deleted.reduce((sum, entry) => sum + ("Deleted" in entry ? (sizes.get(entry.Deleted) ?? 0) : 0), 0)
  context.emit("prune", "", { reclaimed: String(reclaimed) })
  return { ImagesDeleted: deleted, SpaceReclaimed: reclaimed }
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

function untilOf(filters: Filters): number {
  const values = filters.get("until") ?? []
  if (values.length > 1) throw new DhowError("invalid", "more than one until filter specified")
  return values[0] === undefined ? Number.POSITIVE_INFINITY : parseTimestamp(values[0])
}

/** Bytes of each layer by its chain id, taken before the layers are gone. */
function chainSizes({ records, configs, snapshotter }: ImagesContext): ReadonlyMap<string, number> {
  const sizes = new Map<string, number>()
  for (const row of records.images()) {
    const layers = configs.read(row.id).rootfs.diff_ids
    for (const [at, chain] of chainIdsOf(layers).entries())
      if (!sizes.has(chain)) sizes.set(chain, layerSize(snapshotter, layers[at]!))
  }
  return sizes
}
