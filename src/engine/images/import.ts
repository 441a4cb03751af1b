// A file system tarball becomes an image of one layer. The tar is written once, hashed on its way into the content store.
import { decompress } from "../../lib/compression.ts"
import { DhowError } from "../../lib/errors.ts"
import type { ImageConfig } from "../../oci/image-config.ts"
import { hostPlatform } from "../../oci/platform.ts"
import { familiarReference, formatReference, parseReference, withDefaultTag } from "../../oci/reference.ts"
import type { Images } from "../contract.ts"
import { commitImages, storeManifest } from "./assemble.ts"
import { applyChanges } from "./changes.ts"
import { emitImageEvent, type ImagesContext } from "./context.ts"
import { layerLimit } from "./limits.ts"
import { chunksOf } from "./streams.ts"

export async function importImage(
  context: ImagesContext,
  archive: ReadableStream<Uint8Array>,
  options: Omit<Parameters<Images["import"]>[1], "progress">,
): Promise<{ readonly id: string }> {
  const { content } = context
  const { signal, message = "", platform = hostPlatform() } = options
  const name = options.reference === undefined ? undefined : withDefaultTag(parseReference(options.reference))
  if (name?.digest !== undefined) throw new DhowError("invalid", "cannot import digest reference")
  if (platform.os !== "linux") throw new DhowError("invalid", "operating system is not supported")
  const run = applyChanges({}, options.changes)

  using lease = content.lease()
  const { bytes } = await decompress(chunksOf(archive, signal), { signal })
  const layer = await content.ingest(bytes, { limit: layerLimit(context.root), signal })
  lease.hold(layer.digest)
  const created = new Date().toISOString()
  const config: ImageConfig & { readonly comment: string } = {
    created,
    architecture: platform.architecture,
    ...(platform.variant === undefined ? {} : { variant: platform.variant }),
    os: platform.os,
    comment: message,
    config: run,
    rootfs: { type: "layers", diff_ids: [layer.digest] },
    history: [{ created, comment: message }],
  }
  const image = await storeManifest(context, Buffer.from(JSON.stringify(config)), { config, lease })
  const tags = name === undefined ? [] : [{ reference: formatReference(name), target: image.manifest }]
  await commitImages(context, [image], { tags, signal })
  if (name !== undefined) emitImageEvent(context, "tag", { id: image.id, name: familiarReference(name) })
  emitImageEvent(context, "import", { id: image.id })
  return { id: image.id }
}
