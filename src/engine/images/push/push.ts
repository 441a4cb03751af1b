// POST /images/{name}/push: what the registry lacks of an image is sent, its manifest last, so that nobody can pull half
// of it. A target that names several images goes whole where all of them are here, and else as the one that is meant.
import type { Lease } from "../../../content/contract.ts"
import { DhowError } from "../../../lib/errors.ts"
import type { Digest } from "../../../oci/digest.ts"
import { isIndexType } from "../../../oci/manifest.ts"
import {
  familiarName,
  familiarReference,
  formatReference,
  parseReference,
  type Reference,
} from "../../../oci/reference.ts"
import type { Registries } from "../../../registry/contract.ts"
import { parseRegistryAuth } from "../../../registry/credentials.ts"
import { RateLimit } from "../../../registry/rate-limit.ts"
import type { Images } from "../../contract.ts"
import { choosePlatform } from "../choose-platform.ts"
import { emitImageEvent, type ImagesContext } from "../context.ts"
import { descriptorOf } from "../manifests.ts"
import { type ImageRow, platformOf } from "../records.ts"
import { findImage, referenceKey } from "../resolve.ts"
import { pushReferrers } from "./companions.ts"
import { imagePusher, type PushedImage, type PushTo } from "./image.ts"
import { pushIndex, wholeIndex } from "./whole-index.ts"

type PushOptions = Parameters<Images["push"]>[1]

export function openPusher(context: ImagesContext, registries: Registries): Images["push"] {
  const pushImage = imagePusher(context, registries)
  const { content, records } = context

  return async (text, options) => {
    const reference = parseReference(text)
    const references = chosenTags(reference)
    const { progress, signal } = options
    const credentials = parseRegistryAuth(options.auth)
    const { domain, path } = reference
    progress({ status: `The push refers to repository [${domain}/${path}]` })
    const limit = options.limitRate === undefined ? undefined : new RateLimit(options.limitRate)
    const repository = registries.repository(reference, {
      access: "push",
      ...(credentials === undefined ? {} : { credentials }),
      ...(limit === undefined ? {} : { limit }),
    })
    const { compression, sameDigest = false } = options
    using lease = content.lease()
    const to = { repository, domain, path, credentials, lease, limit, compression, sameDigest, progress, signal }
    for (const one of references) await pushOne(one, to, options)
  }

  function chosenTags(reference: Reference): readonly Reference[] {
    if (reference.digest !== undefined) throw new DhowError("invalid", "cannot push a digest reference")
    const repository = familiarName(reference)
    const held = records
      .tags()
      .filter((tag) => tag.reference.startsWith(`${formatReference({ ...reference, tag: "" })}`))
    if (held.length === 0)
      throw new DhowError("not-found", `An image does not exist locally with the tag: ${repository}`)
    if (reference.tag === undefined) return held.map((tag) => parseReference(tag.reference))
    if (records.tag(referenceKey(reference)) === undefined)
      throw new DhowError("not-found", `tag does not exist: ${familiarReference(reference)}`)
    return [reference]
  }

  async function pushOne(reference: Reference, to: PushTo & { readonly lease: Lease }, options: PushOptions) {
    const { lease, progress } = to
    const tag = reference.tag!
    const { target } = records.tag(referenceKey(reference))!
    lease.hold(target)
    const { allPlatforms = false, platform } = options
    const whole =
      platform === undefined ? await wholeIndex(context, target, { ...to, mustBeWhole: allPlatforms }) : undefined
    const pushed =
      whole === undefined
        ? await pushImage(chosenImage(reference, options), tag, to)
        : await pushIndex(context, { whole, tag, to, pushImage })
    if (pushed.digest !== target) remember(reference, pushed)
    const manifests = whole?.entries.map(({ descriptor }) => descriptor.digest) ?? []
    await pushReferrers(context, [pushed.digest, ...(whole === undefined ? [] : manifests)], to)
    const { digest, size } = pushed
    progress({ status: `${tag}: digest: ${digest} size: ${size}` })
    if (isPartOf(target, pushed))
      progress({
        aux: {
          manifestPushedInsteadOfIndex: true,
          originalIndex: descriptorOf(context, target),
          selectedManifest: { mediaType: pushed.mediaType, digest, size },
        },
      })
    progress({ aux: { Tag: tag, Digest: digest, Size: size } })
    const main = choosePlatform(records.inTarget(target), platformOf)
    const actor = familiarReference(reference)
    if (main !== undefined) emitImageEvent(context, "push", { id: main.id, actor, name: familiarName(reference) })
  }

  /** One image of an index went in its place. */
  function isPartOf(target: Digest, { mediaType }: PushedImage): boolean {
    return isIndexType(descriptorOf(context, target).mediaType) && !isIndexType(mediaType)
  }

  function chosenImage(reference: Reference, { platform }: PushOptions): ImageRow {
    return findImage(records, formatReference(reference), platform)
  }

  /** The registry knows the image by another digest than this engine does: that one is a name of it too. */
  function remember(
    { domain, path }: Reference,
    { digest, rows }: { readonly digest: Digest; readonly rows: readonly ImageRow[] },
  ): void {
    if (!content.has(digest)) return
    records.transaction(() => {
      for (const row of rows) records.putImage(row, [digest])
      records.putTag(formatReference({ domain, path, digest }), digest)
    })
  }
}
