// Several layers of an image as one, in an image of its own: the same files and the same configuration, from fewer bytes
// where layers had overwritten or removed what was below. Nothing of the clock gets in: the same image gives the same one.
import { DhowError } from "../../../lib/errors.ts"
import type { Digest } from "../../../oci/digest.ts"
import type { HistoryEntry, ImageConfig } from "../../../oci/image-config.ts"
import { familiarReference, formatReference, parseReference, withDefaultTag } from "../../../oci/reference.ts"
import type { Stacks } from "../../../snapshot/stacks.ts"
import type { Squashed } from "../../../wire/image-contents.ts"
import type { ImageContents } from "../../contract.ts"
import { commitImages, storeManifest } from "../assemble.ts"
import { layerSize } from "../chains.ts"
import { emitImageEvent, type ImagesContext } from "../context.ts"
import { layerLimit } from "../limits.ts"
import { findImage } from "../resolve.ts"
import { tarsOf } from "./layers.ts"

type Options = Parameters<ImageContents["squash"]>[1]

export async function squashImage(
  context: ImagesContext,
  stacks: Stacks,
  { reference, ...options }: Options & { readonly reference: string },
): Promise<Squashed> {
  const { content, records, snapshotter } = context
  const { signal, platform } = options
  const name = options.name === undefined ? undefined : withDefaultTag(parseReference(options.name))
  if (name?.digest !== undefined) throw new DhowError("invalid", "refusing to create a tag with a digest reference")
  const { id } = findImage(records, reference, platform)
  const config = context.configs.read(id)
  const layers = config.rootfs.diff_ids
  const from = firstLayer(context, layers, options)
  if (layers.length - from < 2)
    throw new DhowError(
      "invalid",
      `Cannot squash image "${reference}": it has ${countOf(layers.length - from)} there`,
      {
        hint: "Squashing takes at least two layers",
      },
    )

  using lease = content.lease()
  lease.hold(id)
  for (const layer of layers) lease.hold(layer)
  const made = await content.ingest(stacks.squash(tarsOf(context, layers), from, signal), {
    limit: layerLimit(context.root),
    signal,
  })
  lease.hold(made.digest)
  const squashed = configOf(config, from, made.digest)
  const image = await storeManifest(context, Buffer.from(JSON.stringify(squashed)), { config: squashed, lease })
  const tags = name === undefined ? [] : [{ reference: formatReference(name), target: image.manifest }]
  await commitImages(context, [image], { tags, signal })
  emitImageEvent(context, "create", { id: image.id })
  if (name !== undefined) emitImageEvent(context, "tag", { id: image.id, name: familiarReference(name) })
  const summary = (stack: readonly Digest[]) => ({
    Layers: stack.length,
    Size: stack.reduce((sum, layer) => sum + layerSize(snapshotter, layer), 0),
  })
  return { Id: image.id, Before: summary(layers), After: summary(squashed.rootfs.diff_ids) }
}

function countOf(layers: number): string {
  return layers === 1 ? "one layer" : layers === 0 ? "no layer" : `${layers} layers`
}

/** The place of the lowest layer to be squashed. */
function firstLayer(context: ImagesContext, layers: readonly Digest[], { from, base }: Options): number {
  if (from !== undefined && base !== undefined)
    throw new DhowError("invalid", "Only one of a first layer and a base image can be given")
  if (base !== undefined) {
    const below = context.configs.read(findImage(context.records, base).id).rootfs.diff_ids
    if (below.some((layer, at) => layer !== layers[at]))
      throw new DhowError("invalid", `Image "${base}" is not the base of the image: its layers are others`)
    return below.length
  }
  if (from === undefined) return 0
  if (/^\d{1,4}$/.test(from)) {
    const number = Number(from)
    if (number >= 1 && number <= layers.length) return number - 1
    throw new DhowError("invalid", `There is no layer ${from}: the image has ${countOf(layers.length)}`)
  }
  const found = layers.flatMap((layer, at) => (layer.startsWith(from) || layer.slice(7).startsWith(from) ? at : []))
  if (found.length !== 1)
    throw new DhowError("invalid", `${found.length === 0 ? "No layer" : "More than one layer"} is called "${from}"`)
  return found[0]!
}

/** Every step stays in the history; those that are squashed have no layer of their own any more. */
function configOf(config: ImageConfig, from: number, layer: Digest): ImageConfig {
  const { rootfs, history = [] } = config
  let seen = 0
  const steps = history.map((step): HistoryEntry => {
    if (step.empty_layer === true || seen++ < from) return step
    return { ...step, empty_layer: true }
  })
  const untold = Math.max(0, from - seen)
  const merged: HistoryEntry = {
    ...(config.created === undefined ? {} : { created: config.created }),
    comment: `${rootfs.diff_ids.length - from} layers squashed into one`,
  }
  return {
    ...config,
    rootfs: { type: "layers", diff_ids: [...rootfs.diff_ids.slice(0, from), layer] },
    history: [...steps, ...Array.from({ length: untold }, () => ({})), merged],
  }
}
