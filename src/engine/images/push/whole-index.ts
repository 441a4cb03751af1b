// An index into one repository: its images, the attestations beside them, and then itself. It goes as it came where
// everything that it names is here, or is there already.
import { crashpoint } from "../../../lib/crashpoint.ts"
import { DhowError } from "../../../lib/errors.ts"
import type { Digest } from "../../../oci/digest.ts"
import { type Descriptor, type ImageIndex, isIndexType, MEDIA_TYPE } from "../../../oci/manifest.ts"
import { formatPlatform } from "../../../oci/platform.ts"
import { type ImagesContext, shortId } from "../context.ts"
import { isCompanion } from "../index-entries.ts"
import { DOCUMENT_LIMIT } from "../limits.ts"
import { isIndex } from "../load/documents.ts"
import type { ImageRow } from "../records.ts"
import { isArtifactHere, pushArtifact } from "./companions.ts"
import type { imagePusher, PushedImage, PushTo } from "./image.ts"

type Entry = { readonly descriptor: Descriptor } & (
  | { readonly kind: "image"; readonly row: ImageRow }
  | { readonly kind: "artifact" | "there" | "missing" }
)
export type WholeIndex = { readonly target: Digest; readonly index: ImageIndex; readonly entries: readonly Entry[] }

/** The target as an index whose every entry is here or there; undefined where it is none, or not whole. */
export async function wholeIndex(
  { content, records, blobPlaces, referrers }: ImagesContext,
  target: Digest,
  { mustBeWhole, repository, signal }: PushTo & { readonly mustBeWhole: boolean },
): Promise<WholeIndex | undefined> {
  const index: unknown = JSON.parse(Buffer.from(await content.read(target, DOCUMENT_LIMIT)).toString("utf8"))
  if (!isIndex(index)) return undefined
  const rows = records.inTarget(target)
  const entries: Entry[] = []
  for (const descriptor of index.manifests) {
    const { digest } = descriptor
    const row = rows.find(({ manifest }) => manifest === digest)
    if (row !== undefined) entries.push({ kind: "image", row, descriptor })
    else if (isCompanion(descriptor) && (await isArtifactHere({ content, blobPlaces, referrers }, digest)))
      entries.push({ kind: "artifact", descriptor })
    else {
      const isThere = await repository.head(digest, { signal }).then(
        () => true,
        () => false,
      )
      entries.push({ kind: isThere ? "there" : "missing", descriptor })
      if (!isThere && !mustBeWhole) return undefined
    }
  }
  const missing = entries.filter(({ kind }) => kind === "missing").map(({ descriptor }) => nameOf(descriptor))
  if (missing.length > 0)
    throw new DhowError("not-found", `Not every platform is here: ${missing.slice(0, 10).join(", ")}`, {
      hint: "Pull with --all-platforms, or push one with --platform",
    })
  return { target, index, entries }
}

export async function pushIndex(
  context: ImagesContext,
  {
    whole,
    tag,
    to,
    pushImage,
  }: {
    readonly whole: WholeIndex
    readonly tag: string
    readonly to: PushTo
    readonly pushImage: ReturnType<typeof imagePusher>
  },
): Promise<PushedImage> {
  const { content } = context
  const { index, entries } = whole
  const changed = new Set<string>()
  const manifests: Descriptor[] = []
  for (const entry of entries) {
    const { descriptor } = entry
    if (entry.kind !== "image") {
      manifests.push(descriptor)
      continue
    }
    const { digest, size, mediaType } = await pushImage(entry.row, undefined, to)
    if (digest !== descriptor.digest) changed.add(descriptor.digest)
    manifests.push(digest === descriptor.digest ? descriptor : { ...descriptor, mediaType, digest, size })
  }
  // An attestation of what is another image now attests nothing.
  const kept = manifests.filter(({ annotations }) => !changed.has(annotations?.["vnd.docker.reference.digest"] ?? ""))
  for (const { kind, descriptor } of entries)
    if (kind === "artifact" && kept.includes(descriptor)) {
      await pushArtifact(context, descriptor.digest, to)
      to.progress({ status: "Pushed with the image", progressDetail: {}, id: shortId(descriptor.digest) })
    }
  const mediaType = index.mediaType ?? MEDIA_TYPE.ociIndex
  const bytes =
    changed.size === 0
      ? await content.read(whole.target, DOCUMENT_LIMIT)
      : Buffer.from(JSON.stringify({ ...index, manifests: kept }))
  const made = await content.put(bytes)
  to.lease.hold(made.digest)
  crashpoint("images.push:before-index")
  const digest = await to.repository.putManifest(tag, { bytes, mediaType }, { signal: to.signal })
  const rows = entries.flatMap((entry) => (entry.kind === "image" ? [entry.row] : []))
  return { digest, size: bytes.length, mediaType, rows }
}

function nameOf({ digest, mediaType, platform }: Descriptor): string {
  if (platform?.os !== undefined && platform.os !== "unknown") return formatPlatform(platform)
  return isIndexType(mediaType) ? `index ${shortId(digest)}` : `manifest ${shortId(digest)}`
}
