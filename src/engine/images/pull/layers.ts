// Layers of an image that is being pulled: several at once, each decompressed and hashed while it arrives, so that when
// the last byte is here the tar is stored and verified. Pulls of the same layer share one transfer.

import { Slots } from "../../../lib/slots.ts"
import type { Digest } from "../../../oci/digest.ts"
import type { ImageConfig } from "../../../oci/image-config.ts"
import type { Descriptor, Manifest } from "../../../oci/manifest.ts"
import type { Progress } from "../../contract.ts"
import { type ImagesContext, shortId } from "../context.ts"
import { SharedWork } from "../shared-work.ts"
import type { Place } from "./target.ts"
import { transferLayer } from "./transfer.ts"

const EXTRACTIONS = 2

export type PulledLayer = { readonly descriptor: Descriptor; readonly diffId: Digest; readonly id: string }

export function layerFetcher(context: ImagesContext) {
  const { content, snapshotter } = context
  const work = new SharedWork<void>()
  const transfers = new Slots(() => context.transfers().downloads)
  const extractions = new Slots(EXTRACTIONS)

  async function fetchLayer(layer: PulledLayer, options: Omit<Place, "lease"> & { progress: Progress }): Promise<void> {
    const { progress, signal } = options
    const { diffId, id } = layer
    // Its own: whoever asked for the work may leave before it is done.
    using lease = content.lease()
    lease.hold(diffId)
    if (!content.has(diffId)) {
      if (transfers.isFull) progress({ status: "Waiting", progressDetail: {}, id })
      await transfers.hold(signal, () => transferLayer(context, layer, options))
      progress({ status: "Download complete", progressDetail: {}, id })
    }
    if (!snapshotter.hasLayer(diffId))
      await extractions.hold(signal, async () => {
        const total = layer.descriptor.size
        progress({ status: "Extracting", progressDetail: { current: total, total }, id })
        await snapshotter.addLayer(diffId, content.path(diffId), signal)
      })
    progress({ status: "Pull complete", progressDetail: {}, id })
  }

  return async (manifest: Manifest, config: ImageConfig, options: Place & { readonly progress: Progress }) => {
    const { repository, place, lease, progress, signal } = options
    const missing = new Map<Digest, PulledLayer>()
    for (const [at, descriptor] of manifest.layers.entries()) {
      const diffId = config.rootfs.diff_ids[at]!
      const id = shortId(descriptor.digest)
      lease.hold(diffId)
      if (content.has(diffId) && snapshotter.hasLayer(diffId))
        progress({ status: "Already exists", progressDetail: {}, id })
      else if (!missing.has(diffId)) {
        missing.set(diffId, { descriptor, diffId, id })
        progress({ status: "Pulling fs layer", progressDetail: {}, id })
      }
    }
    const abort = new AbortController()
    const all = AbortSignal.any([signal, abort.signal])
    let failure: { readonly error: unknown } | undefined
    await Promise.all(
      [...missing.values()].map(async (layer) => {
        try {
          const key = `${layer.descriptor.digest} ${layer.diffId}`
          const listener = { progress, signal: all }
          await work.join(key, listener, (shared) => fetchLayer(layer, { repository, place, ...shared }))
        } catch (error) {
          // The first failure is the reason; the others only follow from it.
          failure ??= { error }
          abort.abort(error)
        }
      }),
    )
    if (failure !== undefined) throw failure.error
  }
}
