// The rows of layers and snapshots. Layers in a form that this host cannot use are not there; one of them that is made
// anew, in another form, takes over the row.
import type { Digest } from "../oci/digest.ts"
import type { Database } from "../state/database.ts"
import type { Snapshotter } from "./contract.ts"

export type LayerRow = {
  readonly diff_id: Digest
  readonly snapshotter: Snapshotter["name"]
  readonly key: string
  readonly size: number
  readonly files: number
  readonly rooted: number
}

export type SnapshotRows = ReturnType<typeof openRows>

export function openRows(database: Database, forms: readonly Snapshotter["name"][]) {
  const of = `snapshotter IN (${forms.map((form) => `'${form}'`).join(", ")})`
  const columns = "diff_id, snapshotter, layers.key, size, files, rooted"
  return {
    layers: database.query<LayerRow>(`SELECT ${columns} FROM layers WHERE ${of}`),
    layer: database.query<LayerRow, { diffId: string }>(
      `SELECT ${columns} FROM layers WHERE diff_id = $diffId AND ${of}`,
    ),
    anyLayer: database.query<LayerRow, { diffId: string }>(`SELECT ${columns} FROM layers WHERE diff_id = $diffId`),
    stack: database.query<LayerRow, { layers: string }>(
      `SELECT ${columns} FROM json_each($layers) AS place CROSS JOIN layers ON diff_id = place.value
       WHERE ${of} ORDER BY place.id`,
    ),
    layerByKey: database.query<{ key: string }, { key: string }>("SELECT key FROM layers WHERE key = $key"),
    putLayer: database.query<
      never,
      { diffId: string; form: string; key: string; size: number; files: number; rooted: number }
    >(
      `INSERT OR REPLACE INTO layers (diff_id, snapshotter, key, size, files, rooted)
       VALUES ($diffId, $form, $key, $size, $files, $rooted)`,
    ),
    deleteLayer: database.query<never, { diffId: string }>("DELETE FROM layers WHERE diff_id = $diffId"),
    standsOn: database.query<{ key: string }, { diffId: string }>(
      `SELECT snapshots.key FROM snapshots, json_each(snapshots.layers) AS layer
       WHERE layer.value = $diffId LIMIT 1`,
    ),
    snapshot: database.query<{ layers: string }, { key: string }>("SELECT layers FROM snapshots WHERE key = $key"),
    insertSnapshot: database.query<never, { key: string; layers: string; now: number }>(
      `INSERT INTO snapshots (key, snapshotter, layers, created_at) VALUES ($key, '${forms[0]}', $layers, $now)`,
    ),
    rebaseSnapshot: database.query<never, { key: string; layers: string }>(
      "UPDATE snapshots SET layers = $layers WHERE key = $key",
    ),
    deleteSnapshot: database.query<never, { key: string }>("DELETE FROM snapshots WHERE key = $key"),
    snapshots: database.query<{ key: string }>("SELECT key FROM snapshots"),
    stacks: database.query<{ layers: string }>("SELECT layers FROM snapshots"),
    keys: database.query<{ key: string }>("SELECT key FROM snapshots UNION SELECT key FROM layers"),
  }
}
