// A name whose platforms were made here one by one: it leads to the manifest of a single image, else to an index of them,
// whose bytes are the same for the same manifests. A platform that is made anew takes the place of its predecessor, and
// leaves the others alone.
import type { Lease } from "../../content/contract.ts"
import type { Digest } from "../../oci/digest.ts"
import { type Descriptor, MEDIA_TYPE } from "../../oci/manifest.ts"
import { formatPlatform, normalizePlatform, samePlatform } from "../../oci/platform.ts"
import type { ImagesContext } from "./context.ts"
import { descriptorOf } from "./manifests.ts"
import { type ImageRow, platformOf } from "./records.ts"

type ComposeContext = Pick<ImagesContext, "records" | "content">

/** Adds the image `id` to what `reference` leads to. Resolves with the name's new target. */
export async function composeTag(
  context: ComposeContext,
  reference: string,
  { id, lease }: { readonly id: Digest; readonly lease: Lease },
): Promise<Digest> {
  const { records } = context
  for (;;) {
    const before = records.tag(reference)?.target
    const members = membersWith(context, reference, id)
    const target = await targetOf(context, members, lease)
    const isDone = records.transaction(() => {
      // Another platform may have come to the name meanwhile: then it is to be a part of this.
      const now = membersWith(context, reference, id)
      if (records.tag(reference)?.target !== before || now.some((row, at) => row.id !== members[at]?.id)) return false
      for (const row of members) records.putImage(row, [target])
      records.putTag(reference, target)
      const former = [...(before === undefined ? [] : [before]), ...members.map((row) => row.manifest)]
      for (const one of new Set(former)) if (one !== target) leaveUnnamed(context, one)
      return true
    })
    if (isDone) return target
  }
}

function membersWith({ records }: ComposeContext, reference: string, id: Digest): readonly ImageRow[] {
  const added = records.image(id)!
  const others = records
    .named(reference)
    .filter((row) => row.id !== id && !samePlatform(platformOf(row), platformOf(added)))
  const key = (row: ImageRow): string => formatPlatform(normalizePlatform(platformOf(row)))
  return [added, ...others].sort((a, b) => (key(a) < key(b) ? -1 : 1))
}

async function targetOf(context: ComposeContext, members: readonly ImageRow[], lease: Lease): Promise<Digest> {
  const [only] = members
  if (members.length === 1) return only!.manifest
  const manifests = members.map((row): Descriptor => {
    const { mediaType, size } = descriptorOf(context, row.manifest)
    return { mediaType, digest: row.manifest, size, platform: platformOf(row) }
  })
  const index = { schemaVersion: 2, mediaType: MEDIA_TYPE.ociIndex, manifests }
  const { digest } = await context.content.put(Buffer.from(JSON.stringify(index)))
  lease.hold(digest)
  return digest
}

/** What no name leads to any more lets go of the images that another target holds; the others stay, without a name. */
function leaveUnnamed({ records }: ComposeContext, target: Digest): void {
  if (records.tagsOfTarget(target).length > 0) return
  for (const row of records.inTarget(target))
    if (records.targetsOf(row.id).length > 1) records.leaveTarget(target, row.id)
}
