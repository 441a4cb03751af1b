// What lies behind a name: every manifest of its targets, with the platform that each is for and whether it is here, as
// Docker's API lists them since 1.47.
import { readFileSync } from "node:fs"
import type { Digest } from "../../oci/digest.ts"
import { type Descriptor, type Manifest, MEDIA_TYPE } from "../../oci/manifest.ts"
import type { Platform } from "../../oci/platform.ts"
import type { ImageManifestSummary } from "../../wire/image.ts"
import type { ImagesContext } from "./context.ts"
import { indexEntries, isCompanion } from "./index-entries.ts"
import { DOCUMENT_LIMIT } from "./limits.ts"
import { type ImageRow, platformOf } from "./records.ts"

type ManifestsContext = Pick<ImagesContext, "records" | "configs" | "content" | "containers">

/** In the order of the index; each manifest once. */
export function manifestsOf(context: ManifestsContext, targets: readonly Digest[]): ImageManifestSummary[] {
  const found = new Map<string, ImageManifestSummary>()
  for (const target of targets) {
    const rows = context.records.inTarget(target)
    const entries = indexEntries(context.content, target)
    for (const entry of entries ?? []) {
      const row = rows.find(({ manifest }) => manifest === entry.digest)
      found.set(entry.digest, row === undefined ? absent(context, entry) : present(context, row, entry))
    }
    // What no index names: a target that is a manifest, and an image that was given one of its own.
    for (const row of rows) if (!found.has(row.manifest)) found.set(row.manifest, present(context, row))
  }
  return [...found.values()]
}

/** Media type and size of documents that are here, read once: every list of containers asks for them. */
export function manifestDescriber(
  context: Pick<ImagesContext, "content">,
): (digest: Digest) => { readonly mediaType: string; readonly size: number } | undefined {
  const mediaTypes = new Map<Digest, string>()
  return (digest) => {
    const size = context.content.stat(digest)?.size
    if (size === undefined) {
      mediaTypes.delete(digest)
      return undefined
    }
    const mediaType = mediaTypes.get(digest) ?? descriptorOf(context, digest).mediaType
    mediaTypes.set(digest, mediaType)
    return { mediaType, size }
  }
}

/** The descriptor of a document that is here. */
export function descriptorOf(
  { content }: Pick<ImagesContext, "content">,
  digest: Digest,
): ImageManifestSummary["Descriptor"] {
  const size = content.stat(digest)?.size ?? 0
  return { mediaType: documentOf({ content }, digest)?.mediaType ?? MEDIA_TYPE.ociManifest, digest, size }
}

function present(context: ManifestsContext, row: ImageRow, entry?: Descriptor): ImageManifestSummary {
  const descriptor = entry === undefined ? descriptorOf(context, row.manifest) : described(entry)
  const blobs = [row.manifest, row.id, ...context.configs.read(row.id).rootfs.diff_ids]
  const content = blobs.reduce((sum, digest) => sum + (context.content.stat(digest)?.size ?? 0), 0)
  return {
    ID: row.manifest,
    Descriptor: descriptor,
    Available: true,
    Size: { Content: content, Total: content + row.size },
    Kind: "image",
    ImageData: {
      Platform: wirePlatform(platformOf(row)),
      Containers: context.containers().flatMap((use) => (use.imageId === row.id ? use.id : [])),
      Size: { Unpacked: row.size },
      ImageID: row.id,
      Created: Math.floor(row.created_at / 1000),
    },
  }
}

/** Named by the index, and not an image that is here. */
function absent({ content }: ManifestsContext, entry: Descriptor): ImageManifestSummary {
  const { digest, annotations = {}, platform } = entry
  const base = { ID: digest, Descriptor: described(entry), Available: false, Size: { Content: 0, Total: 0 } } as const
  if (!isCompanion(entry))
    return {
      ...base,
      Kind: "image",
      ImageData: { Platform: wirePlatform(platform), Containers: [], Size: { Unpacked: 0 } },
    }
  const size = sizeOf({ content }, digest)
  const known = { ...base, Available: size !== undefined, Size: { Content: size ?? 0, Total: size ?? 0 } }
  const subject = annotations["vnd.docker.reference.digest"]
  return annotations["vnd.docker.reference.type"] === "attestation-manifest" && subject !== undefined
    ? { ...known, Kind: "attestation", AttestationData: { For: subject } }
    : { ...known, Kind: "unknown" }
}

/** Bytes of a companion with what it names, where all of it is here. */
function sizeOf({ content }: Pick<ImagesContext, "content">, digest: Digest): number | undefined {
  const document = documentOf({ content }, digest)
  if (document === undefined) return undefined
  const parts = [document.config, ...(Array.isArray(document.layers) ? document.layers : [])]
  let sum = content.stat(digest)?.size ?? 0
  for (const part of parts) {
    const size = part === undefined ? undefined : content.stat(part.digest)?.size
    if (size === undefined) return undefined
    sum += size
  }
  return sum
}

function documentOf({ content }: Pick<ImagesContext, "content">, digest: Digest): Partial<Manifest> | undefined {
  const size = content.stat(digest)?.size
  if (size === undefined || size > DOCUMENT_LIMIT) return undefined
  return JSON.parse(readFileSync(content.path(digest), "utf8")) as Partial<Manifest>
}

function described({ mediaType, digest, size, platform, annotations }: Descriptor): ImageManifestSummary["Descriptor"] {
  return {
    mediaType,
    digest,
    size,
    ...(annotations === undefined || annotations === null ? {} : { annotations }),
    ...(platform === undefined || platform === null ? {} : { platform: wirePlatform(platform) }),
  }
}

function wirePlatform(platform: Platform | undefined): { architecture: string; os: string; variant?: string } {
  const { os = "", architecture = "", variant } = platform ?? {}
  return variant === undefined || variant === "" ? { architecture, os } : { architecture, os, variant }
}
