// Compressed layers that were seen, the tar they unpack to, and how it becomes them again: an archive that brings one
// need not be unpacked, and a registry gets the bytes that it knows. Only what was verified is written here.
import type { Digest } from "../../oci/digest.ts"
import type { Database } from "../../state/database.ts"
import type { Recipe } from "./recipes.ts"

type Row = {
  readonly digest: Digest
  readonly diff_id: Digest
  readonly media_type: string
  readonly size: number
  readonly recipe: string | null
  readonly sample: Uint8Array | null
}

export type LayerSource = Omit<Row, "recipe" | "sample"> & {
  readonly recipe?: Recipe
  /** The first bytes. */
  readonly sample?: Uint8Array
}

export type LayerSources = ReturnType<typeof layerSources>

export function layerSources(database: Database) {
  const select = database.query<Row, { digest: string }>("SELECT * FROM layer_sources WHERE digest = $digest")
  const byLayer = database.query<Row, { layer: string }>(
    "SELECT * FROM layer_sources WHERE diff_id = $layer ORDER BY digest",
  )
  const insert = database.query<never, Record<keyof Row, string | number | Uint8Array | null>>(
    `INSERT INTO layer_sources (digest, diff_id, media_type, size, recipe, sample)
     VALUES ($digest, $diff_id, $media_type, $size, $recipe, $sample)
     ON CONFLICT (digest) DO UPDATE SET
       recipe = coalesce(excluded.recipe, recipe), sample = coalesce(sample, excluded.sample)`,
  )
  const sourceOf = ({ recipe, sample, ...row }: Row): LayerSource => ({
    ...row,
    ...(recipe === null ? {} : { recipe: JSON.parse(recipe) as Recipe }),
    ...(sample === null ? {} : { sample }),
  })
  const forget = database.query<never, { digest: string }>(
    "UPDATE layer_sources SET sample = NULL WHERE digest = $digest",
  )
  return {
    find(digest: Digest): LayerSource | undefined {
      const row = select.get({ digest })
      return row === null ? undefined : sourceOf(row)
    },
    /** Every compressed form of a layer. */
    ofLayer: (layer: Digest): readonly LayerSource[] => byLayer.all({ layer }).map(sourceOf),
    remember({ recipe, sample, ...source }: LayerSource): void {
      insert.run({ ...source, recipe: recipe === undefined ? null : JSON.stringify(recipe), sample: sample ?? null })
    },
    /** The first bytes of this one lead nowhere. */
    forgetSample: (digest: Digest): void => {
      forget.run({ digest })
    },
  }
}
