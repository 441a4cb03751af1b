// What `save` was asked for: targets with the tags to save them under. A bare repository name means all of its tags.
import { DhowError } from "../../../lib/errors.ts"
import type { Digest } from "../../../oci/digest.ts"
import { formatPlatform, type Platform } from "../../../oci/platform.ts"
import { formatReference, parseReference, withDefaultTag } from "../../../oci/reference.ts"
import { choosePlatform } from "../choose-platform.ts"
import { type ImagesContext, isCanonical } from "../context.ts"
import { type ImageRow, platformOf } from "../records.ts"
import { findImage, referenceKey } from "../resolve.ts"

export type Selected = {
  /** The index or manifest that the names stand for; where one platform of several was asked for, that one's. */
  readonly target: Digest
  readonly images: readonly ImageRow[]
  /** The image that stands for the others where only one can be named. */
  readonly main: ImageRow
  /** Canonical, with a tag. */
  readonly names: readonly string[]
}

type SelectContext = Pick<ImagesContext, "records">

export function selectImages(
  context: SelectContext,
  references: readonly string[],
  platform?: Platform,
): readonly Selected[] {
  const selected = new Map<Digest, Omit<Selected, "names"> & { readonly names: Set<string> }>()
  for (const reference of references)
    for (const { name, main, target } of matchesOf(context, reference)) {
      const all = target === undefined ? [main] : context.records.inTarget(target)
      const images = platform === undefined ? all : all.filter((row) => choosePlatform([row], platformOf, platform))
      const first = choosePlatform(images, platformOf)
      if (first === undefined)
        throw new DhowError(
          "not-found",
          `no suitable export target found for platform ${formatPlatform(platform ?? platformOf(main))}`,
        )
      const isWhole = target !== undefined && platform === undefined
      const key = isWhole ? target : first.manifest
      const chosen = isWhole ? images : [first]
      const entry = selected.get(key) ?? { target: key, images: chosen, main: first, names: new Set<string>() }
      if (name !== undefined) entry.names.add(name)
      selected.set(key, entry)
    }
  return [...selected.values()].map((entry) => ({ ...entry, names: [...entry.names].sort() }))
}

type Match = { readonly name?: string; readonly main: ImageRow; readonly target?: Digest }

function matchesOf({ records }: SelectContext, text: string): readonly Match[] {
  if (/^(?:sha256:)?[0-9a-f]{64}$/.test(text)) return [{ main: findImage(records, text) }]
  const reference = parseReference(text)
  if (reference.tag === undefined && reference.digest === undefined) {
    const repository = formatReference(reference)
    const tags = records.tags().filter((tag) => tag.reference.startsWith(`${repository}:`))
    const found = tags.flatMap(({ reference: name, target }): Match[] => {
      const main = choosePlatform(records.inTarget(target), platformOf)
      return main === undefined ? [] : [{ name, main, target }]
    })
    if (found.length > 0) return found
  }
  const main = findImage(records, text)
  const tag = records.tag(referenceKey(withDefaultTag(reference)))
  if (tag === undefined) return [{ main }]
  return [{ main, target: tag.target, ...(isCanonical(tag.reference) ? {} : { name: tag.reference }) }]
}
