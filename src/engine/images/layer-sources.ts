// Compressed layers that were seen, and the tar they unpack to: an archive that brings one again need not be unpacked.
import type { Digest } from "../../oci/digest.ts"
import type { Database } from "../../state/database.ts"

export type LayerSource = {
  readonly digest: Digest
  readonly diff_id: Digest
  readonly media_type: string
  readonly size: number
}

export type LayerSources = ReturnType<typeof layerSources>

export function layerSources(database: Database) {
  const select = database.query<LayerSource, { digest: string }>("SELECT * FROM layer_sources WHERE digest = $digest")
  const byLayer = database.query<LayerSource, { layer: string }>(
    "SELECT * FROM layer_sources WHERE diff_id = $layer ORDER BY digest",
  )
  const insert = database.query<never, { digest: string; diff_id: string; media_type: string; size: number }>(
    `INSERT INTO layer_sources (digest, diff_id, media_type, size) VALUES ($digest, $diff_id, $media_type, $size)
     ON CONFLICT (digest) DO NOTHING`,
  )
  return {
    find: (digest: Digest): LayerSource | undefined => select.get({ digest }) ?? undefined,
    /** Every compressed form of a layer. */
    ofLayer: (layer: Digest) => byLayer.all({ layer }),
    remember: (source: LayerSource): void => {
      insert.run(source)
    },
  }
}
