// An image on top of another: one more layer, whose tar streams into the content store, with the history and the
// configuration that go with it. A tar of nothing makes no layer, only a step of the history.
import { type Digest, digestOf } from "../../oci/digest.ts"
import type { HistoryEntry, ImageConfig, ImageRunConfig } from "../../oci/image-config.ts"
import type { Platform } from "../../oci/platform.ts"
import { familiarReference, formatReference, parseReference, withDefaultTag } from "../../oci/reference.ts"
import { commitImages, storeManifest } from "./assemble.ts"
import { emitImageEvent, type ImagesContext } from "./context.ts"
import { layerLimit } from "./limits.ts"

/** An archive without entries. */
const EMPTY_TAR = digestOf(new Uint8Array(1024))

export type CommitRequest = {
  readonly base: { readonly imageId: Digest; readonly platform: Platform; readonly layers: readonly Digest[] }
  readonly run: ImageRunConfig
  readonly createdBy: string
  readonly comment: string
  readonly author: string
  /** As a user writes it. */
  readonly reference?: string
}

/** `name` is what the image is called from now on, or "". */
export type Committed = { readonly id: Digest; readonly name: string }
export type Commit = (tar: AsyncIterable<Uint8Array>, signal: AbortSignal) => Promise<Committed>
export type Committer = (request: CommitRequest) => Commit

export function imageCommitter(context: ImagesContext): Committer {
  return (request) => {
    const name = request.reference === undefined ? undefined : withDefaultTag(parseReference(request.reference))
    return async (tar, signal) => {
      using lease = context.content.lease()
      const base = baseOf(context, request)
      for (const layer of base.rootfs.diff_ids) lease.hold(layer)
      const layer = await context.content.ingest(tar, { limit: layerLimit(context.root), signal })
      const isEmpty = layer.digest === EMPTY_TAR
      if (!isEmpty) lease.hold(layer.digest)
      const config = configOf(base, request, isEmpty ? undefined : layer.digest)
      const image = await storeManifest(context, Buffer.from(JSON.stringify(config)), { config, lease })
      const tags = name === undefined ? [] : [{ reference: formatReference(name), target: image.manifest }]
      await commitImages(context, [image], { tags, signal })
      context.emit("create", image.id, { ...config.config?.Labels, name: image.id })
      if (name !== undefined) emitImageEvent(context, "tag", { id: image.id, name: familiarReference(name) })
      return { id: image.id, name: name === undefined ? "" : familiarReference(name) }
    }
  }
}

/** What the image is made from. One that was removed by force has left its layers, and nothing that is told of them. */
function baseOf({ records, configs }: ImagesContext, { base }: CommitRequest): ImageConfig {
  if (records.image(base.imageId) !== undefined) return configs.read(base.imageId)
  const { os, architecture, variant } = base.platform
  return {
    architecture,
    ...(variant === undefined ? {} : { variant }),
    os,
    rootfs: { type: "layers", diff_ids: base.layers },
    history: base.layers.map(() => ({})),
  }
}

function configOf(base: ImageConfig, request: CommitRequest, layer: Digest | undefined): ImageConfig {
  const { author, comment, createdBy, run } = request
  const created = new Date().toISOString()
  const step: HistoryEntry = {
    created,
    ...(author === "" ? {} : { author }),
    ...(createdBy === "" ? {} : { created_by: createdBy }),
    ...(comment === "" ? {} : { comment }),
    ...(layer === undefined ? { empty_layer: true } : {}),
  }
  const diffIds = layer === undefined ? base.rootfs.diff_ids : [...base.rootfs.diff_ids, layer]
  return {
    ...machineOf(base),
    created,
    ...(author === "" ? {} : { author }),
    config: run,
    rootfs: { type: "layers", diff_ids: diffIds },
    history: [...historyOf(base), step],
  }
}

/** What the image runs on; who made it, when and how is told anew. */
function machineOf(base: ImageConfig): Pick<ImageConfig, "architecture" | "os"> {
  const named = ["architecture", "variant", "os", "os.version", "os.features"]
  const fields = Object.fromEntries(Object.entries(base).filter(([name]) => named.includes(name)))
  return { ...fields, architecture: base.architecture, os: base.os }
}

/** As many steps with a layer as there are layers, whatever the base says: else each step after would be told of another's. */
function historyOf({ history = [], rootfs }: ImageConfig): readonly HistoryEntry[] {
  const told = history.filter(({ empty_layer: isEmpty }) => isEmpty !== true).length
  const untold = Math.max(0, rootfs.diff_ids.length - told)
  return [...history, ...Array.from({ length: untold }, () => ({}))]
}
