// Layers going out: under the digest that the image came with where there is any way to it, otherwise in another form
// that the registry has, and only then compressed anew. Pushes of the same layer to the same place share one.
import { crashpoint } from "../../../lib/crashpoint.ts"
import { DhowError } from "../../../lib/errors.ts"
import { Slots } from "../../../lib/slots.ts"
import type { Digest } from "../../../oci/digest.ts"
import type { ImageConfig } from "../../../oci/image-config.ts"
import type { Manifest } from "../../../oci/manifest.ts"
import { parseReference } from "../../../oci/reference.ts"
import type { Registries } from "../../../registry/contract.ts"
import { type ImagesContext, shortId } from "../context.ts"
import { SharedWork } from "../shared-work.ts"
import { type Layer, type LayerForm, layersOf } from "./forms.ts"
import type { PushTo } from "./image.ts"
import { layerSender, type SendTo, type Sent } from "./send.ts"

const MOST_SOURCES = 3

export function layerPusher(context: ImagesContext, registries: Registries) {
  const { content, blobPlaces } = context
  const work = new SharedWork<LayerForm>()
  const slots = new Slots(() => context.transfers().uploads)
  const sender = layerSender(context, registries)

  return async (manifest: Manifest, config: ImageConfig, to: PushTo): Promise<readonly LayerForm[]> => {
    const { compression, domain, path, lease, progress, sameDigest, signal } = to
    const diffIds = config.rootfs.diff_ids
    const layers = layersOf(context, manifest, { diffIds, compression })
    for (const { diffId } of layers) {
      lease.hold(diffId)
      progress({ status: "Preparing", progressDetail: {}, id: shortId(diffId) })
    }
    const abort = new AbortController()
    const all = AbortSignal.any([signal, abort.signal])
    const running = new Map<Digest, Promise<LayerForm>>()
    for (const layer of layers) {
      if (running.has(layer.diffId)) continue
      const key = `${domain}/${path} ${layer.diffId} ${layer.exact?.digest} ${JSON.stringify(compression)} ${sameDigest}`
      const push = work.join(key, { progress, signal: all }, (shared) => pushLayer(layer, { ...to, ...shared }))
      push.catch((error: unknown) => abort.abort(error))
      running.set(layer.diffId, push)
    }
    const outcomes = await Promise.allSettled(running.values())
    // The first failure is the reason; the others only follow from it.
    if (abort.signal.aborted && !signal.aborted) throw abort.signal.reason
    const failed = outcomes.find((outcome) => outcome.status === "rejected")
    if (failed !== undefined) throw failed.reason
    return await Promise.all(diffIds.map((diffId) => running.get(diffId)!))
  }

  async function pushLayer(layer: Layer, to: PushTo): Promise<LayerForm> {
    const { progress, signal } = to
    const { diffId } = layer
    const id = shortId(diffId)
    // Its own: whoever asked for the work may leave before it is done.
    using lease = content.lease()
    lease.hold(diffId)
    if (slots.isFull) progress({ status: "Waiting", progressDetail: {}, id })
    return await slots.hold(signal, async () => {
      const { status, ...form } = await delivered(layer, to)
      blobPlaces.seen([form.digest], to)
      crashpoint("images.push:layer-sent")
      progress({ status, progressDetail: {}, id })
      return form
    })
  }

  async function delivered({ diffId, exact, others }: Layer, to: PushTo): Promise<Sent> {
    if (exact !== undefined) {
      const status =
        (await sender.present(exact, to)) ??
        (await sender.mounted(exact, sourcesOf(context, exact, diffId, to), to)) ??
        (await sender.recreated(exact, diffId, to)) ??
        (await sender.copied(exact, diffId, to))
      if (status !== undefined) return { ...exact, status }
      if (to.sameDigest)
        throw new DhowError("conflict", `Layer "${exact.digest}" cannot be made again as the image came with it`, {
          hint: "No registry that had it gives it, and another program compressed it",
        })
      to.progress({ status: "Not to be had as it came: compressing anew", progressDetail: {}, id: shortId(diffId) })
    }
    for (const form of others) {
      const status =
        (await sender.present(form, to)) ?? (await sender.mounted(form, sourcesOf(context, form, diffId, to), to))
      if (status !== undefined) return { ...form, status }
    }
    return await sender.compressed(diffId, to.compression, to)
  }
}

/** Repositories of the same registry that were seen to hold the blob, or whose images have the layer. */
function sourcesOf(
  { blobPlaces, records, configs }: ImagesContext,
  { digest }: LayerForm,
  diffId: Digest,
  { domain, path }: SendTo,
): readonly string[] {
  const places = blobPlaces.of(digest).filter((place) => place.domain === domain && place.path !== path)
  const found = new Set(places.map((place) => place.path).slice(0, MOST_SOURCES))
  if (found.size > 0) return [...found]
  for (const { reference, target } of records.tags()) {
    const name = parseReference(reference)
    if (name.domain !== domain || name.path === path || found.has(name.path)) continue
    const holds = records.inTarget(target).some((row) => configs.read(row.id).rootfs.diff_ids.includes(diffId))
    if (holds) found.add(name.path)
    if (found.size === MOST_SOURCES) break
  }
  return [...found]
}
