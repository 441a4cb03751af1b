// DELETE /images/{name} where single platforms of a name are meant: they leave its target, the others stay under the name.
// An image that no target holds any more goes; a name of which nothing is left goes too. All in one transaction.
import { DhowError } from "../../lib/errors.ts"
import type { Digest } from "../../oci/digest.ts"
import { formatPlatform, type Platform, samePlatform } from "../../oci/platform.ts"
import type { ImageDeleteEntry } from "../../wire/image.ts"
import { choosePlatform } from "./choose-platform.ts"
import { familiar, isCanonical } from "./context.ts"
import { platformOf } from "./records.ts"
import { conflictOf, deleteImage, isIdPrefix, type RemoveContext, refuse, removeImage, untag } from "./remove.ts"
import { findImage } from "./resolve.ts"

/**
 * Changes rows only; the caller collects afterwards. The id that lists show of a name with several platforms means all of
 * them, as in Docker; the id of another of its platforms means that one.
 */
export function removeReference(
  context: RemoveContext,
  reference: string,
  options: { readonly force: boolean; readonly platforms?: readonly Platform[] },
): ImageDeleteEntry[] {
  const { platforms = [] } = options
  const found = findImage(context.records, reference)
  const targets = found.target === undefined ? context.records.targetsOf(found.id) : [found.target]
  if (platforms.length === 0) {
    const isOneOfMany = isIdPrefix(found.id, reference) && !targets.every((target) => isMain(context, target, found.id))
    return isOneOfMany
      ? removePlatforms(context, [found.id], { ...options, targets })
      : removeImage(context, reference, options)
  }
  const rows = targets.flatMap((target) => context.records.inTarget(target))
  const ids = platforms.map((platform) => {
    const row = rows.find((one) => samePlatform(platformOf(one), platform))
    if (row !== undefined) return row.id
    const here = [...new Set(rows.map((one) => formatPlatform(platformOf(one))))].sort()
    throw new DhowError(
      "not-found",
      `image with reference ${reference} was found but does not provide the specified platform (${formatPlatform(platform)})`,
      { hint: `It is here for ${here.join(", ")}` },
    )
  })
  return removePlatforms(context, [...new Set(ids)], { ...options, targets })
}

/** Another target holds it: it goes from these alone. */
function leave(
  { records }: RemoveContext,
  id: Digest,
  { targets, removed }: { readonly targets: readonly Digest[]; readonly removed: ImageDeleteEntry[] },
): void {
  const platform = formatPlatform(platformOf(records.image(id)!))
  for (const target of targets) {
    records.leaveTarget(target, id)
    const names = records.tagsOfTarget(target).filter(({ reference }) => !isCanonical(reference))
    for (const { reference } of names) removed.push({ Untagged: `${familiar(reference)}@@${platform}` })
  }
}

/** Whether the image is the one that stands for its target in lists. */
function isMain({ records }: RemoveContext, target: Digest, id: Digest): boolean {
  return choosePlatform(records.inTarget(target), platformOf)?.id === id
}

function removePlatforms(
  context: RemoveContext,
  ids: readonly Digest[],
  { force, targets }: { readonly force: boolean; readonly targets: readonly Digest[] },
): ImageDeleteEntry[] {
  const { records } = context
  const isElsewhere = (id: Digest): boolean =>
    records.targetsOf(id).some((target) => !targets.includes(target) && records.tagsOfTarget(target).length > 0)
  // Names of one target are one thing: what leaves it leaves each of them.
  const names = targets
    .flatMap((target) => records.tagsOfTarget(target))
    .flatMap((tag) => (isCanonical(tag.reference) ? [] : familiar(tag.reference)))
  if (!force && names.length > 1)
    throw new DhowError(
      "conflict",
      `conflict: unable to delete a platform of ${names.join(", ")} (must be forced) - they are one image`,
      { hint: `With --force it is gone under each of the names` },
    )
  // All of them or none: a container that needs one is found before anything is gone.
  for (const id of ids) if (!isElsewhere(id)) refuse(conflictOf(context, id, { force, ignoreNames: true }))
  const removed: ImageDeleteEntry[] = []
  records.transaction(() => {
    for (const target of targets) {
      const left = records.inTarget(target).filter((row) => !ids.includes(row.id))
      if (left.length > 0) continue
      const [id] = ids
      for (const { reference } of records.tagsOfTarget(target)) untag(context, id!, { name: reference, removed })
    }
    for (const id of ids)
      if (isElsewhere(id)) leave(context, id, { targets, removed })
      else deleteImage(context, id, { force: true, quiet: false, keepNames: true, removed })
  })
  return removed
}
