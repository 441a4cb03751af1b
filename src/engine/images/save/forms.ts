// Whether an image can leave as it came: every blob that its manifest names is here, or is made again, byte for byte, out
// of the layer's tar. A recipe that was only guessed is tried to the end first, since a tar header promises the length.
import { createReadStream } from "node:fs"
import type { Digest } from "../../../oci/digest.ts"
import type { Descriptor, Manifest } from "../../../oci/manifest.ts"
import type { ImagesContext } from "../context.ts"
import type { LayerSource } from "../layer-sources.ts"
import { findRecipe, type Recipe, remakeFile } from "../recipes.ts"

const READ_SIZE = 1 << 20

/** A blob that is compressed on its way out. */
export type Remade = { readonly diffId: Digest; readonly size: number; readonly recipe: Recipe }

type FormsContext = Pick<ImagesContext, "content" | "layerSources" | "internalCommand">

/** The compressed layers to make; undefined where one cannot be had as the manifest names it. */
export async function remadeLayers(
  context: FormsContext,
  { layers }: Manifest,
  { diffIds, signal }: { readonly diffIds: readonly Digest[]; readonly signal: AbortSignal },
): Promise<ReadonlyMap<Digest, Remade> | undefined> {
  const remade = new Map<Digest, Remade>()
  for (const [at, layer] of layers.entries()) {
    if (context.content.has(layer.digest)) continue
    const made = await remadeLayer(context, layer, { diffId: diffIds[at], signal })
    if (made === undefined) return undefined
    remade.set(layer.digest, made)
  }
  return remade
}

async function remadeLayer(
  context: FormsContext,
  { digest, size }: Descriptor,
  { diffId, signal }: { readonly diffId: Digest | undefined; readonly signal: AbortSignal },
): Promise<Remade | undefined> {
  const source = context.layerSources.find(digest)
  if (source === undefined || source.diff_id !== diffId || source.size !== size) return undefined
  const recipe = source.recipe ?? (await triedRecipe(context, source, signal))
  return recipe === undefined ? undefined : { diffId, size, recipe }
}

/** Remembered once it has made the whole. */
async function triedRecipe(
  { content, layerSources, internalCommand }: FormsContext,
  source: LayerSource,
  signal: AbortSignal,
): Promise<Recipe | undefined> {
  const { sample, digest, diff_id } = source
  if (sample === undefined) return undefined
  const path = content.path(diff_id)
  const recipe = await findRecipe(sample, () => createReadStream(path, { highWaterMark: READ_SIZE }), { signal })
  if (recipe === undefined) return undefined
  const hasher = new Bun.CryptoHasher("sha256")
  for await (const chunk of remakeFile(recipe, path, { internalCommand, signal })) hasher.update(chunk)
  if (`sha256:${hasher.digest("hex")}` !== digest) {
    // So that nobody tries again.
    layerSources.forgetSample(digest)
    return undefined
  }
  layerSources.remember({ ...source, recipe })
  return recipe
}
