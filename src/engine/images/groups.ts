// The view that list and prune share: each image once, with the names that lead to it. Of a target with several
// platforms the image that would run here stands for all; the others are its siblings.
import type { Digest } from "../../oci/digest.ts"
import { choosePlatform } from "./choose-platform.ts"
import { type ImageRecords, type ImageRow, platformOf } from "./records.ts"

export type ImageGroup = {
  readonly image: ImageRow
  /** It and its siblings. */
  readonly platforms: readonly ImageRow[]
  /** Canonical names, sorted; empty for a dangling image. */
  readonly references: readonly string[]
  readonly targets: readonly Digest[]
}

export function groupImages(records: ImageRecords): readonly ImageGroup[] {
  const images = new Map(records.images().map((row) => [row.id, row]))
  const members = Map.groupBy(records.targets(), (row) => row.target)
  const names = Map.groupBy(records.tags(), (row) => row.target)
  type Group = { image: ImageRow; platforms: ImageRow[]; references: string[]; targets: Digest[] }
  const groups = new Map<Digest, Group>()
  const siblings = new Set<Digest>()
  for (const [target, rows] of members) {
    const candidates = rows.flatMap((row) => images.get(row.image_id) ?? [])
    const image = choosePlatform(candidates, platformOf)
    if (image === undefined) continue
    const group = groups.get(image.id) ?? { image, platforms: [], references: [], targets: [] }
    for (const one of candidates) if (!group.platforms.includes(one)) group.platforms.push(one)
    group.references.push(...(names.get(target) ?? []).map((row) => row.reference))
    group.targets.push(target)
    groups.set(image.id, group)
    for (const other of candidates) if (other !== image) siblings.add(other.id)
  }
  const visible = [...groups.values()].filter((group) => group.references.length > 0 || !siblings.has(group.image.id))
  for (const group of visible) group.references.sort()
  return visible
}
