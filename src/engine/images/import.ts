// A file system tarball becomes an image of one layer. The tar is written once, hashed on its way into the content store.
import { decompress } from "../../lib/compression.ts"
import { DhowError } from "../../lib/errors.ts"
import type { ImageConfig } from "../../oci/image-config.ts"
import { hostPlatform } from "../../oci/platform.ts"
import { familiarReference, formatReference, parseReference, withDefaultTag } from "../../oci/reference.ts"
import { download } from "../../registry/download.ts"
import type { Images } from "../contract.ts"
import { commitImages, storeManifest } from "./assemble.ts"
import { applyChanges } from "./changes.ts"
import { emitImageEvent, type ImagesContext } from "./context.ts"
import { layerLimit } from "./limits.ts"

const REPORT_EVERY = 1 << 20

type ImportOptions = Parameters<Images["import"]>[1]

/** The same of a file that the engine fetches. */
export async function importFrom(
  context: ImagesContext,
  address: string,
  options: ImportOptions,
): Promise<{ readonly id: string }> {
  const { signal, progress } = options
  checked(options)
  const { address: shown, length = 0, bytes } = await download(address, { limit: layerLimit(context.root), signal })
  progress({ status: `Downloading from ${shown}` })
  async function* watched(): AsyncGenerator<Uint8Array> {
    let current = 0
    let next = REPORT_EVERY
    for await (const chunk of bytes) {
      current += chunk.length
      if (current >= next || current === length) {
        next = current + REPORT_EVERY
        progress({ status: "Importing", progressDetail: { current, total: length } })
      }
      yield chunk
    }
  }
  return await importImage(context, watched(), options)
}

export async function importImage(
  context: ImagesContext,
  archive: AsyncIterable<Uint8Array>,
  options: Omit<ImportOptions, "progress">,
): Promise<{ readonly id: string }> {
  const { content } = context
  const { signal, message = "" } = options
  const { name, platform, run } = checked(options)
  using lease = content.lease()
  const { bytes } = await decompress(archive, { signal })
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

/** What is asked for, before a byte of the file is. */
function checked({ reference, platform = hostPlatform(), changes }: Omit<ImportOptions, "progress">) {
  const name = reference === undefined ? undefined : withDefaultTag(parseReference(reference))
  if (name?.digest !== undefined) throw new DhowError("invalid", "cannot import digest reference")
  if (platform.os !== "linux") throw new DhowError("invalid", "operating system is not supported")
  return { name, platform, run: applyChanges({}, changes) }
}
