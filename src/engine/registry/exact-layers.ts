// The compressed bytes that a pulled image's manifest names, made again from the layer's tar where that is known to work,
// and kept from then on: the image keeps the digest that it came with.
import { createReadStream } from "node:fs"
import type { ContentStore } from "../../content/contract.ts"
import { isKind } from "../../lib/errors.ts"
import type { Digest } from "../../oci/digest.ts"
import type { Descriptor } from "../../oci/manifest.ts"
import type { LayerSources } from "../images/layer-sources.ts"
import { findRecipe, remakeFile } from "../images/recipes.ts"

const READ_SIZE = 1 << 20

export type ExactLayers = (wanted: Pick<Descriptor, "digest" | "size">, diffId: Digest) => Promise<boolean>

export function openExactLayers({
  content,
  layerSources,
  internalCommand,
}: {
  readonly content: ContentStore
  readonly internalCommand: readonly string[]
  readonly layerSources: LayerSources
}): ExactLayers {
  const running = new Map<Digest, Promise<boolean>>()

  async function make({ digest, size }: Pick<Descriptor, "digest" | "size">, diffId: Digest): Promise<boolean> {
    const source = layerSources.find(digest)
    if (source === undefined || source.diff_id !== diffId || !content.has(diffId)) return false
    const plain = (): AsyncIterable<Uint8Array> =>
      createReadStream(content.path(diffId), { highWaterMark: READ_SIZE }) as AsyncIterable<Buffer>
    const { signal } = new AbortController()
    const { sample } = source
    const recipe = source.recipe ?? (sample === undefined ? undefined : await findRecipe(sample, plain, { signal }))
    if (recipe === undefined) return false
    // The image holds it from here on: its manifest names it.
    using lease = content.lease()
    lease.hold(digest)
    try {
      await content.ingest(remakeFile(recipe, content.path(diffId), { internalCommand, signal }), {
        expect: { digest, size },
      })
    } catch (error) {
      // It began the same and went on otherwise.
      if (isKind(error, "invalid")) return false
      throw error
    }
    layerSources.remember({ ...source, recipe })
    return true
  }

  return async (wanted, diffId) => {
    if (content.has(wanted.digest)) return true
    const work = running.get(wanted.digest) ?? make(wanted, diffId).finally(() => running.delete(wanted.digest))
    running.set(wanted.digest, work)
    return await work
  }
}
