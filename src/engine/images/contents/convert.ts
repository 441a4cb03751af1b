// An image in other clothes: layers compressed in another way, media types of the OCI or of Docker, the same tars and the
// same configuration, so that it is the same image by its id. Nothing is stored but manifests: compressed bytes are made
// when they are sent, and are the ones that were promised here. The same image gives the same digest.
import { createReadStream } from "node:fs"
import { compress, DEFAULT_LEVEL } from "../../../lib/compression.ts"
import { DhowError } from "../../../lib/errors.ts"
import type { Digest } from "../../../oci/digest.ts"
import { type Descriptor, type ImageIndex, type Manifest, MEDIA_TYPE } from "../../../oci/manifest.ts"
import { formatPlatform } from "../../../oci/platform.ts"
import { familiarReference, formatReference, parseReference, withDefaultTag } from "../../../oci/reference.ts"
import type { Converted } from "../../../wire/image-contents.ts"
import type { ImageContents, LayerCompression } from "../../contract.ts"
import { emitImageEvent, type ImagesContext } from "../context.ts"
import { isCompanion } from "../index-entries.ts"
import { DOCUMENT_LIMIT } from "../limits.ts"
import { isIndex } from "../load/documents.ts"
import { type ImageRow, platformOf } from "../records.ts"
import { findImage } from "../resolve.ts"

const READ_SIZE = 1 << 20

type Options = Parameters<ImageContents["convert"]>[2]
type Kind = LayerCompression["kind"]
type Types = "oci" | "docker"

const MANIFEST = { oci: MEDIA_TYPE.ociManifest, docker: MEDIA_TYPE.dockerManifest } as const
const INDEX = { oci: MEDIA_TYPE.ociIndex, docker: MEDIA_TYPE.dockerManifestList } as const
const CONFIG = { oci: MEDIA_TYPE.ociConfig, docker: MEDIA_TYPE.dockerConfig } as const
const LAYER: Readonly<Record<Types, Partial<Record<Kind, string>>>> = {
  oci: { gzip: MEDIA_TYPE.ociLayerGzip, zstd: MEDIA_TYPE.ociLayerZstd, none: MEDIA_TYPE.ociLayer },
  docker: { gzip: MEDIA_TYPE.dockerLayerGzip, none: MEDIA_TYPE.dockerLayer },
}

export async function convertImage(
  context: ImagesContext,
  { source, target, ...options }: Options & { readonly source: string; readonly target: string },
): Promise<Converted> {
  const { content, records } = context
  const name = withDefaultTag(parseReference(target))
  if (name.digest !== undefined) throw new DhowError("invalid", "refusing to create a tag with a digest reference")
  using lease = content.lease()
  const found = findImage(records, source, options.platform)
  const index =
    options.platform === undefined && found.target !== undefined ? await indexAt(context, found.target) : undefined
  const rows = index === undefined ? [found] : records.inTarget(found.target!)
  const put = async (document: Manifest | ImageIndex): Promise<Descriptor> => {
    const { digest, size } = await content.put(Buffer.from(JSON.stringify(document)))
    lease.hold(digest)
    return { mediaType: document.mediaType!, digest, size }
  }

  const made: { readonly row: ImageRow; readonly descriptor: Descriptor; readonly size: number }[] = []
  for (const row of rows) {
    lease.hold(row.id)
    const manifest = await convertManifest(context, row, options)
    const size = manifest.layers.reduce((sum, layer) => sum + layer.size, 0)
    made.push({ row, size, descriptor: { ...(await put(manifest)), platform: platformOf(row) } })
  }
  const whole = index === undefined ? made[0]!.descriptor : await put(convertIndex(index, made, options.types))
  records.transaction(() => {
    for (const { row, descriptor } of made) records.putPacked(whole.digest, row.id, descriptor.digest)
    records.putTag(formatReference(name), whole.digest)
  })
  emitImageEvent(context, "tag", { id: found.id, name: familiarReference(name) })
  return {
    Digest: whole.digest,
    Manifests: made.map(({ row, descriptor, size }) => ({
      Digest: descriptor.digest,
      Platform: formatPlatform(platformOf(row)),
      Size: size,
    })),
  }
}

async function indexAt({ content }: ImagesContext, target: Digest): Promise<ImageIndex | undefined> {
  const document: unknown = JSON.parse(Buffer.from(await content.read(target, DOCUMENT_LIMIT)).toString("utf8"))
  return isIndex(document) ? document : undefined
}

async function convertManifest(context: ImagesContext, row: ImageRow, options: Options): Promise<Manifest> {
  const came = JSON.parse(
    Buffer.from(await context.content.read(row.manifest, DOCUMENT_LIMIT)).toString("utf8"),
  ) as Manifest
  const types = options.types ?? (came.mediaType === MEDIA_TYPE.dockerManifest ? "docker" : "oci")
  const layers: Descriptor[] = []
  for (const [at, diffId] of context.configs.read(row.id).rootfs.diff_ids.entries())
    layers.push(await convertLayer(context, diffId, { came: came.layers[at]!, types, ...options }))
  const { digest, size } = came.config
  return {
    schemaVersion: 2,
    mediaType: MANIFEST[types],
    config: { mediaType: CONFIG[types], digest, size },
    layers,
    ...(came.annotations === undefined || types === "docker" ? {} : { annotations: came.annotations }),
  }
}

async function convertLayer(
  context: ImagesContext,
  diffId: Digest,
  { came, types, compression, signal }: Options & { readonly came: Descriptor; readonly types: Types },
): Promise<Descriptor> {
  const current = kindOf(came.mediaType)
  const kind = compression?.kind ?? current
  const mediaType = LAYER[types][kind]
  if (mediaType === undefined)
    throw new DhowError("invalid", "Docker's media types know no zstd", {
      hint: "Take the OCI's media types, or another compression",
    })
  if (kind === current && compression?.level === undefined) return { mediaType, digest: came.digest, size: came.size }
  if (kind === "none") return { mediaType, digest: diffId, size: context.content.stat(diffId)!.size }
  const level = compression?.level ?? DEFAULT_LEVEL[kind]
  return { mediaType, ...(await compressed(context, diffId, { kind, level, signal })) }
}

function kindOf(mediaType: string): Kind {
  if (/[.+]gzip$/.test(mediaType)) return "gzip"
  return /[.+]zstd$/.test(mediaType) ? "zstd" : "none"
}

/** What the compressed tar will be, remembered with the way to make it. */
async function compressed(
  { content, layerSources }: ImagesContext,
  diffId: Digest,
  { kind, level, signal }: { readonly kind: "gzip" | "zstd"; readonly level: number; readonly signal: AbortSignal },
): Promise<{ readonly digest: Digest; readonly size: number }> {
  const media_type = kind === "gzip" ? MEDIA_TYPE.ociLayerGzip : MEDIA_TYPE.ociLayerZstd
  const known = layerSources
    .ofLayer(diffId)
    .find(({ recipe }) => recipe?.kind === kind && recipe.level === level && recipe.header === undefined)
  if (known !== undefined) return { digest: known.digest, size: known.size }
  const hasher = new Bun.CryptoHasher("sha256")
  let size = 0
  const tar = createReadStream(content.path(diffId), { highWaterMark: READ_SIZE }) as AsyncIterable<Uint8Array>
  for await (const chunk of compress(kind, tar, { level, signal })) {
    hasher.update(chunk)
    size += chunk.length
  }
  const digest = `sha256:${hasher.digest("hex")}` as Digest
  layerSources.remember({ digest, diff_id: diffId, media_type, size, recipe: { kind, level } })
  return { digest, size }
}

/** Images that are here, in the order of the index; what attests an image as it was attests nothing of this one. */
function convertIndex(
  index: ImageIndex,
  made: readonly { readonly row: ImageRow; readonly descriptor: Descriptor }[],
  types: Types | undefined,
): ImageIndex {
  const place = (manifest: Digest): number => index.manifests.findIndex(({ digest }) => digest === manifest)
  const ordered = [...made].sort((a, b) => place(a.row.manifest) - place(b.row.manifest))
  const family = types ?? (index.mediaType === MEDIA_TYPE.dockerManifestList ? "docker" : "oci")
  return {
    schemaVersion: 2,
    mediaType: INDEX[family],
    manifests: ordered.map(({ row, descriptor }) => {
      const before = index.manifests.find((one) => one.digest === row.manifest && !isCompanion(one))
      const platform = before?.platform ?? descriptor.platform
      return { ...descriptor, ...(platform === undefined ? {} : { platform }) }
    }),
    ...(index.annotations === undefined || family === "docker" ? {} : { annotations: index.annotations }),
  }
}
