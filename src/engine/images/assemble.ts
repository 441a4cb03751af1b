// The last steps of every way in which an image comes to be: layers mountable, manifest and configuration stored, then
// the rows in one transaction. Until that transaction nothing exists but leased bytes.
import type { Lease } from "../../content/contract.ts"
import { crashpoint } from "../../lib/crashpoint.ts"
import { DhowError } from "../../lib/errors.ts"
import type { Digest } from "../../oci/digest.ts"
import type { ImageConfig } from "../../oci/image-config.ts"
import { type Descriptor, type Manifest, MEDIA_TYPE } from "../../oci/manifest.ts"
import type { ImagesContext } from "./context.ts"

/** An image whose blobs are all in the content store. */
export type StoredImage = {
  readonly id: Digest
  readonly manifest: Digest
  readonly config: ImageConfig
  /** Where the configuration does not say it, and the index does. */
  readonly variant?: string
  /** Targets that hold it: the manifest itself, or an index that names it. */
  readonly targets: readonly Digest[]
}

export type NewTag = { readonly reference: string; readonly target: Digest }

type AssembleContext = Pick<ImagesContext, "records" | "content" | "snapshotter">

/** Makes the images exist, with their names. All or nothing. */
export async function commitImages(
  { records, snapshotter, content }: AssembleContext,
  images: readonly StoredImage[],
  { tags, signal }: { readonly tags: readonly NewTag[]; readonly signal?: AbortSignal },
): Promise<void> {
  for (const layer of new Set(images.flatMap(({ config }) => config.rootfs.diff_ids)))
    if (!snapshotter.hasLayer(layer)) await snapshotter.addLayer(layer, content.path(layer), signal)
  crashpoint("images.commit:before-rows")
  const now = Date.now()
  records.transaction(() => {
    for (const { id, manifest, config, variant = "", targets } of images)
      records.putImage(
        {
          id,
          manifest,
          os: config.os,
          arch: config.architecture,
          variant: config.variant ?? variant,
          size: config.rootfs.diff_ids.reduce((sum, layer) => sum + snapshotter.layerSize(layer), 0),
          created_at: config.created === undefined ? 0 : Date.parse(config.created) || 0,
          pulled_at: now,
        },
        targets,
      )
    for (const { reference, target } of tags) records.putTag(reference, target)
  })
}

/** Stores a configuration and an OCI manifest of uncompressed layers for it. */
export async function storeManifest(
  { content }: Pick<AssembleContext, "content">,
  configBytes: Uint8Array,
  { config, lease }: { readonly config: ImageConfig; readonly lease: Lease },
): Promise<StoredImage> {
  const stored = await content.put(configBytes)
  lease.hold(stored.digest)
  const manifest = plainManifest({ content }, stored, config)
  const blob = await content.put(Buffer.from(JSON.stringify(manifest)))
  lease.hold(blob.digest)
  return { id: stored.digest, manifest: blob.digest, config, targets: [blob.digest] }
}

/** The manifest of an image whose layers are not compressed. */
export function plainManifest(
  { content }: Pick<AssembleContext, "content">,
  config: { readonly digest: Digest; readonly size: number },
  { rootfs }: Pick<ImageConfig, "rootfs">,
): Manifest & { readonly mediaType: string } {
  return {
    schemaVersion: 2,
    mediaType: MEDIA_TYPE.ociManifest,
    config: { mediaType: MEDIA_TYPE.ociConfig, digest: config.digest, size: config.size },
    layers: rootfs.diff_ids.map((digest): Descriptor => {
      const size = content.stat(digest)?.size
      if (size === undefined) throw new DhowError("internal", `Layer "${digest}" is not in the content store`)
      return { mediaType: MEDIA_TYPE.ociLayer, digest, size }
    }),
  }
}
