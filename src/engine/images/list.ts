// GET /images/json: one row per image, newest first.

import { parseTimestamp } from "../../lib/timestamp.ts"
import type { Digest } from "../../oci/digest.ts"
import type { ImageManifestSummary, ImageSummary } from "../../wire/image.ts"
import type { Filters } from "../contract.ts"
import { booleanFilter, rejectUnknownFilters } from "../filters.ts"
import { layerSize } from "./chains.ts"
import { familiar, type ImagesContext, isCanonical } from "./context.ts"
import { matchesLabels, matchesReference } from "./filters.ts"
import { groupImages } from "./groups.ts"
import { manifestsOf } from "./manifests.ts"
import { findImage } from "./resolve.ts"

const ACCEPTED = ["dangling", "label", "before", "since", "reference", "until"]

type ListContext = Pick<ImagesContext, "records" | "configs" | "content" | "snapshotter" | "containers">

export function listImages(
  context: ListContext,
  options: { readonly filters: Filters; readonly sharedSize: boolean; readonly manifests: boolean },
): ImageSummary[] {
  const { records, configs } = context
  const { filters } = options
  rejectUnknownFilters(filters, ACCEPTED)
  const danglingOnly = booleanFilter(filters, "dangling", false)
  const withoutDangling = filters.has("dangling") && !danglingOnly
  const window = createdWindow(context, filters)
  const patterns = filters.get("reference") ?? []
  const used = Map.groupBy(context.containers(), (container) => container.imageId)
  const shared = options.sharedSize ? sharedSizes(context) : undefined

  const summaries: ImageSummary[] = []
  for (const group of groupImages(records)) {
    const { image, platforms } = group
    if (image.created_at >= window.before || image.created_at <= window.since) continue
    const labels = configs.labels(image.id)
    if (!matchesLabels(filters.get("label") ?? [], labels)) continue
    const names = group.references.filter(
      (name) => patterns.length === 0 || patterns.some((pattern) => matchesReference(pattern, name)),
    )
    if (names.length === 0 && (withoutDangling || patterns.length > 0)) continue
    const tags = names.filter((name) => !isCanonical(name)).map(familiar)
    if (danglingOnly && tags.length > 0) continue
    summaries.push({
      Containers: platforms.reduce((sum, row) => sum + (used.get(row.id)?.length ?? 0), 0),
      Created: Math.floor(image.created_at / 1000),
      Id: image.id,
      Labels: Object.keys(labels).length > 0 ? labels : null,
      ParentId: "",
      RepoDigests: names.filter(isCanonical).map(familiar),
      RepoTags: tags,
      SharedSize: shared?.(image.id) ?? -1,
      // Of all its platforms: that is what a removal frees at most.
      Size: platforms.reduce((sum, row) => sum + row.size, 0),
      ...(options.manifests ? { Manifests: namedManifests(context, group.targets, names) } : {}),
    })
  }
  return summaries.sort((a, b) => b.Created - a.Created || (a.Id < b.Id ? -1 : 1))
}

/** Names of one image may hold different platforms beside it: each manifest with those that are its own. */
function namedManifests(
  context: ListContext,
  targets: readonly Digest[],
  names: readonly string[],
): ImageManifestSummary[] {
  const { records } = context
  const leading = new Map<Digest, string[]>()
  for (const name of names)
    for (const { manifest } of records.named(name))
      leading.set(manifest, [...(leading.get(manifest) ?? []), familiar(name)])
  return manifestsOf(context, targets).map((one) => {
    if (one.ImageData === undefined) return one
    return { ...one, ImageData: { ...one.ImageData, Names: leading.get(one.ID as Digest) ?? [] } }
  })
}

/** Several values of one filter are all to hold: the oldest `before` and `until`, the newest `since`. */
function createdWindow({ records }: ListContext, filters: Filters): { before: number; since: number } {
  const created = (reference: string): number => findImage(records, reference).created_at
  const before = [
    ...(filters.get("before") ?? []).map(created),
    ...(filters.get("until") ?? []).map((value) => parseTimestamp(value)),
  ]
  return {
    before: Math.min(Number.POSITIVE_INFINITY, ...before),
    since: Math.max(Number.NEGATIVE_INFINITY, ...(filters.get("since") ?? []).map(created)),
  }
}

/** Bytes of an image's layers that another image stands on too. */
function sharedSizes({ records, configs, snapshotter }: ListContext): (id: Digest) => number {
  const chains = records.images().map((row) => {
    return { id: row.id, layers: configs.layers(row.id), chain: configs.chain(row.id) }
  })
  const uses = new Map<string, number>()
  for (const { chain } of chains) for (const id of chain) uses.set(id, (uses.get(id) ?? 0) + 1)
  const sizes = new Map(
    chains.map(({ id, layers, chain }) => [
      id,
      layers.reduce((sum, layer, n) => sum + (uses.get(chain[n]!)! > 1 ? layerSize(snapshotter, layer) : 0), 0),
    ]),
  )
  return (id) => sizes.get(id) ?? 0
}

/** Bytes of the layers of all images, each layer counted once. */
export function layersSize({ records, configs, snapshotter }: ListContext): number {
  const layers = new Set(records.images().flatMap((row) => configs.layers(row.id)))
  return [...layers].reduce((sum, layer) => sum + layerSize(snapshotter, layer), 0)
}
