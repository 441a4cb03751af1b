// The table `volume_snapshots`.
import type { Database } from "../../state/database.ts"
import { readJsonColumn } from "../../state/json-column.ts"

export type VolumeSnapshot = {
  readonly id: string
  /** Of the volume. */
  readonly volume: string
  readonly name: string
  /** Milliseconds since 1970. */
  readonly createdAt: number
  readonly record: { readonly files: number; readonly bytes: number }
}

type Row = {
  readonly id: string
  readonly volume: string
  readonly name: string
  readonly created_at: number
  readonly record: string
}

export class VolumeSnapshots {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  /** Oldest first. */
  of(volume: string): VolumeSnapshot[] {
    return this.#database
      .query<Row, { volume: string }>(
        "SELECT id, volume, name, created_at, record FROM volume_snapshots WHERE volume = $volume ORDER BY created_at, name",
      )
      .all({ volume })
      .map(snapshotOf)
  }

  find(volume: string, name: string): VolumeSnapshot | undefined {
    return this.of(volume).find((one) => one.name === name)
  }

  insert({ id, volume, name, createdAt, record }: VolumeSnapshot): void {
    this.#database
      .query<never, Row>(
        "INSERT INTO volume_snapshots (id, volume, name, created_at, record) VALUES ($id, $volume, $name, $created_at, $record)",
      )
      .run({ id, volume, name, created_at: createdAt, record: JSON.stringify(record) })
  }

  delete(id: string): void {
    const remove = this.#database.query<never, { id: string }>("DELETE FROM volume_snapshots WHERE id = $id")
    this.#database.essential(() => {
      remove.run({ id })
    })
  }
}

function snapshotOf(row: Row): VolumeSnapshot {
  const { id, volume, name, created_at: createdAt } = row
  const record = readJsonColumn<VolumeSnapshot["record"]>(row.record, `snapshot "${name}" of a volume`)
  return { id, volume, name, createdAt, record: record ?? { files: 0, bytes: 0 } }
}
