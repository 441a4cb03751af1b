// One image into one repository: layers, configuration, manifest. The manifest goes as it came where every layer is there
// under the digest that it names; a layer that had to be compressed anew gets a manifest of its own.
import type { Lease } from "../../../content/contract.ts"
import { crashpoint } from "../../../lib/crashpoint.ts"
import type { Digest } from "../../../oci/digest.ts"
import { type Descriptor, type Manifest, MEDIA_TYPE } from "../../../oci/manifest.ts"
import { RefusedError } from "../../../registry/answer-error.ts"
import type { Registries } from "../../../registry/contract.ts"
import type { LayerCompression } from "../../contract.ts"
import type { ImagesContext } from "../context.ts"
import { DOCUMENT_LIMIT } from "../limits.ts"
import type { ImageRow } from "../records.ts"
import type { LayerForm } from "./forms.ts"
import { layerPusher } from "./layers.ts"
import type { SendTo } from "./send.ts"

export type PushTo = SendTo & {
  readonly lease: Lease
  readonly compression: LayerCompression | undefined
  readonly sameDigest: boolean
}

export type PushedImage = {
  readonly digest: Digest
  readonly size: number
  readonly mediaType: string
  /** What was pushed as one. */
  readonly rows: readonly ImageRow[]
}

type Family = {
  readonly manifest: string
  readonly config: string
  readonly layer: Record<LayerForm["kind"], string>
}

const OCI: Family = {
  manifest: MEDIA_TYPE.ociManifest,
  config: MEDIA_TYPE.ociConfig,
  layer: { gzip: MEDIA_TYPE.ociLayerGzip, zstd: MEDIA_TYPE.ociLayerZstd, none: MEDIA_TYPE.ociLayer },
}
const DOCKER: Family = {
  manifest: MEDIA_TYPE.dockerManifest,
  config: MEDIA_TYPE.dockerConfig,
  // Docker's own types have no zstd; its clients take the OCI one.
  layer: { gzip: MEDIA_TYPE.dockerLayerGzip, zstd: MEDIA_TYPE.ociLayerZstd, none: MEDIA_TYPE.dockerLayer },
}

export function imagePusher(context: ImagesContext, registries: Registries) {
  const { content, configs } = context
  const pushLayers = layerPusher(context, registries)

  /** Under `tag`, or by its digest alone. */
  return async (row: ImageRow, tag: string | undefined, to: PushTo): Promise<PushedImage> => {
    const { repository, lease, signal } = to
    lease.hold(row.manifest)
    lease.hold(row.id)
    const came = await content.read(row.manifest, DOCUMENT_LIMIT)
    const manifest = JSON.parse(Buffer.from(came).toString("utf8")) as Manifest
    const layers = await pushLayers(manifest, configs.read(row.id), to)
    await pushConfig(row.id, to)

    const put = async (bytes: Uint8Array, mediaType: string): Promise<PushedImage> => {
      const made = await content.put(bytes)
      lease.hold(made.digest)
      crashpoint("images.push:before-manifest")
      const digest = await repository.putManifest(tag ?? made.digest, { bytes, mediaType }, { signal })
      return { digest, size: bytes.length, mediaType, rows: [row] }
    }
    const mediaType = manifest.mediaType ?? MEDIA_TYPE.ociManifest
    if (layers.every(({ digest }, at) => digest === manifest.layers[at]!.digest)) return await put(came, mediaType)
    const remade = (family: Family): Uint8Array => Buffer.from(JSON.stringify(manifestOf(manifest, layers, family)))
    if (mediaType === DOCKER.manifest) return await put(remade(DOCKER), DOCKER.manifest)
    try {
      return await put(remade(OCI), OCI.manifest)
    } catch (error) {
      // Registries from before the OCI's types know Docker's only.
      const isUnknown = error instanceof RefusedError && (error.status === 400 || error.status === 415)
      if (!isUnknown || layers.some(({ kind }) => kind === "zstd")) throw error
      return await put(remade(DOCKER), DOCKER.manifest)
    }
  }

  async function pushConfig(id: Digest, { repository, signal }: PushTo): Promise<void> {
    if (await repository.hasBlob(id, { signal })) return
    const bytes = await content.read(id)
    async function* once(): AsyncGenerator<Uint8Array> {
      yield bytes
    }
    await repository.upload({ bytes: once, known: { digest: id, size: bytes.length } }, { signal })
  }
}

function manifestOf(came: Manifest, layers: readonly LayerForm[], family: Family): Manifest {
  const { digest, size } = came.config
  return {
    schemaVersion: 2,
    mediaType: family.manifest,
    config: { mediaType: family.config, digest, size },
    layers: layers.map(({ kind, digest, size }, at): Descriptor => {
      const { annotations } = came.layers[at]!
      const isAsItCame = came.layers[at]!.digest === digest && annotations !== undefined
      return { mediaType: family.layer[kind], digest, size, ...(isAsItCame ? { annotations } : {}) }
    }),
    ...(came.annotations === undefined ? {} : { annotations: came.annotations }),
  }
}
