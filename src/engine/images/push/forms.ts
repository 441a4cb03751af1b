// The forms in which a layer may be in a registry: the one that its manifest names, whose bytes are wanted again, and
// others that are known to hold the same tar.
import type { Digest } from "../../../oci/digest.ts"
import type { Manifest } from "../../../oci/manifest.ts"
import type { LayerCompression } from "../../contract.ts"
import type { ImagesContext } from "../context.ts"
import type { Recipe } from "../recipes.ts"

export type LayerForm = {
  readonly digest: Digest
  readonly size: number
  readonly kind: LayerCompression["kind"]
}

export type Layer = {
  readonly diffId: Digest
  /** Undefined where the image was made here, and no registry has seen it. */
  readonly exact: LayerForm | undefined
  readonly others: readonly LayerForm[]
}

type FormsContext = Pick<ImagesContext, "layerSources" | "blobPlaces">

/** Questions to a registry cost time: more than a few digests are not tried. */
const MOST_OTHERS = 3

export function layersOf(
  context: FormsContext,
  { layers }: Manifest,
  { diffIds, compression }: { readonly diffIds: readonly Digest[]; readonly compression: LayerCompression | undefined },
): readonly Layer[] {
  return diffIds.map((diffId, at) => {
    const named = layers[at]!
    const kind = kindOf(named.mediaType)
    // A manifest made here names the plain tar, which nobody wants to send; one that came so, does.
    const isMadeHere = named.digest === diffId && context.blobPlaces.of(diffId).length === 0
    const exact = isMadeHere || kind === undefined ? undefined : { digest: named.digest, size: named.size, kind }
    const others = context.layerSources.ofLayer(diffId).flatMap((source): LayerForm[] => {
      const found = kindOf(source.media_type)
      if (found === undefined || source.digest === exact?.digest) return []
      return isAsAsked(compression, found, source.recipe)
        ? [{ digest: source.digest, size: source.size, kind: found }]
        : []
    })
    return { diffId, exact, others: others.slice(0, MOST_OTHERS) }
  })
}

/** Whoever asks for a level gets that level. */
function isAsAsked(asked: LayerCompression | undefined, kind: LayerForm["kind"], recipe: Recipe | undefined): boolean {
  if (asked === undefined) return true
  if (asked.kind !== kind) return false
  return asked.level === undefined || (recipe?.level === asked.level && recipe.members !== true)
}

function kindOf(mediaType: string): LayerForm["kind"] | undefined {
  if (/[.+]gzip$/.test(mediaType)) return "gzip"
  if (/[.+]zstd$/.test(mediaType)) return "zstd"
  return /[.]tar$/.test(mediaType) ? "none" : undefined
}
