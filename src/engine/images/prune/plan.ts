// The images of the store as a prune sees them: one entry for all platforms of a name, since a name goes as a whole.
import type { Digest } from "../../../oci/digest.ts"
import { formatPlatform } from "../../../oci/platform.ts"
import { familiarName, parseReference } from "../../../oci/reference.ts"
import type { PrunePlan, PrunePlanEntry } from "../../../wire/disk.ts"
import { layerSize } from "../chains.ts"
import { familiar, type ImagesContext, isCanonical, shortId } from "../context.ts"
import { groupImages, type ImageGroup } from "../groups.ts"
import { type ImageRow, platformOf } from "../records.ts"
import { type Candidate, judge, type Verdict } from "./judge.ts"
import type { PrunePolicy } from "./policy.ts"

export type Planned = Candidate & Verdict & { readonly group: ImageGroup; readonly members: readonly ImageRow[] }

export function planPrune(context: ImagesContext, policy: PrunePolicy): readonly Planned[] {
  const { records, configs, lastUsed } = context
  const users = new Map(context.containers().map((container) => [container.imageId, shortId(container.id)]))
  const candidates = groupImages(records).map((group) => {
    const members = membersOf(context, group)
    const { created_at: created, pulled_at: pulled, id } = group.image
    return {
      group,
      members,
      created,
      pulled,
      lastUsed: Math.max(...members.map((row) => lastUsed.of(row))),
      labels: configs.labels(id),
      isTagged: group.references.some((name) => !isCanonical(name)),
      repositories: [...new Set(group.references.map((name) => familiarName(parseReference(name))))],
      mountedAt: members.flatMap((row) => context.mounts.ofImage(row.id))[0]?.path,
      user: members.map((row) => users.get(row.id)).find((name) => name !== undefined),
    }
  })
  return judge(candidates, policy)
}

function membersOf({ records }: ImagesContext, { image, targets }: ImageGroup): readonly ImageRow[] {
  const rows = new Map([image, ...targets.flatMap((target) => records.inTarget(target))].map((row) => [row.id, row]))
  return [...rows.values()]
}

/** What the plan says to whoever asked for it. */
export function describePlan(context: ImagesContext, planned: readonly Planned[]): PrunePlan {
  const bytes = reclaimable(context, planned)
  return {
    Images: planned.map(describePlanned),
    SpaceReclaimable: bytes,
  }
}

export function describePlanned({ group, members, lastUsed, isRemoved, reason }: Planned): PrunePlanEntry {
  return {
    Id: group.image.id,
    Names: group.references.filter((name) => !isCanonical(name)).map(familiar),
    Digests: group.references.filter(isCanonical).map(familiar),
    Platforms: members.map((row) => formatPlatform(platformOf(row))),
    Size: members.reduce((sum, row) => sum + row.size, 0),
    LastUsed: new Date(lastUsed).toISOString(),
    Remove: isRemoved,
    Reason: reason,
  }
}

/** Bytes of the layers that no image would need any more, and no container. */
function reclaimable(
  { configs, records, snapshotter, layersInUse }: ImagesContext,
  planned: readonly Planned[],
): number {
  const going = new Set(planned.flatMap(({ isRemoved, members }) => (isRemoved ? members.map(({ id }) => id) : [])))
  const layersOf = (rows: readonly { id: Digest }[]): Set<Digest> =>
    new Set(rows.flatMap(({ id }) => configs.layers(id)))
  const kept = layersOf(records.images().filter(({ id }) => !going.has(id)))
  for (const stack of layersInUse()) for (const layer of stack) kept.add(layer)
  let bytes = 0
  for (const layer of layersOf([...going].map((id) => ({ id }))))
    if (!kept.has(layer)) bytes += layerSize(snapshotter, layer)
  return bytes
}
