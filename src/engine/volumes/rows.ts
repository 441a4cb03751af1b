// The table `volumes`.
import type { Database } from "../../state/database.ts"
import { ANONYMOUS, CONDEMNED, NAMED, type Volume, type VolumeRecord, type VolumeRow, volumeOf } from "./record.ts"

const COLUMNS = "id, name, directory, anonymous, created_at, last_used, record"

export class VolumeRows {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  /** By name. Without those whose removal is decided. */
  all(): Volume[] {
    return this.#database
      .query<VolumeRow>(`SELECT ${COLUMNS} FROM volumes WHERE anonymous < ${CONDEMNED} ORDER BY name`)
      .all()
      .map(volumeOf)
  }

  condemned(): Volume[] {
    return this.#database
      .query<VolumeRow>(`SELECT ${COLUMNS} FROM volumes WHERE anonymous = ${CONDEMNED}`)
      .all()
      .map(volumeOf)
  }

  find(name: string): Volume | undefined {
    return this.#one("name", name)
  }

  byId(id: string): Volume | undefined {
    return this.#one("id", id)
  }

  #one(column: "name" | "id", value: string): Volume | undefined {
    const row = this.#database
      .query<VolumeRow, { value: string }>(
        `SELECT ${COLUMNS} FROM volumes WHERE ${column} = $value AND anonymous < ${CONDEMNED}`,
      )
      .get({ value })
    return row === null ? undefined : volumeOf(row)
  }

  /** Whether a name is free: one whose volume is about to be removed is not yet. */
  isTaken(name: string): boolean {
    return (
      this.#database
        .query<{ id: string }, { name: string }>("SELECT id FROM volumes WHERE name = $name")
        .get({ name }) !== null
    )
  }

  byDirectory(directory: string): Volume | undefined {
    const row = this.#database
      .query<VolumeRow, { directory: string }>(`SELECT ${COLUMNS} FROM volumes WHERE directory = $directory`)
      .get({ directory })
    return row === null ? undefined : volumeOf(row)
  }

  insert({ id, name, directory, anonymous, createdAt, record }: Volume): void {
    this.#database
      .query<never, Omit<VolumeRow, "last_used">>(
        `INSERT INTO volumes (id, name, directory, anonymous, created_at, record)
         VALUES ($id, $name, $directory, $anonymous, $created_at, $record)`,
      )
      .run({
        ...{ id, name, directory, created_at: createdAt },
        anonymous: anonymous ? ANONYMOUS : NAMED,
        record: JSON.stringify(record),
      })
  }

  amend(id: string, changes: { readonly name?: string; readonly record?: VolumeRecord }): void {
    this.#database
      .query<never, { id: string; name: string | null; record: string | null; named: number }>(
        `UPDATE volumes SET name = coalesce($name, name), record = coalesce($record, record),
                anonymous = CASE WHEN $name IS NULL THEN anonymous ELSE $named END WHERE id = $id`,
      )
      .run({
        ...{ id, named: NAMED },
        name: changes.name ?? null,
        record: changes.record === undefined ? null : JSON.stringify(changes.record),
      })
  }

  used(names: readonly string[], at: number): void {
    const update = this.#database.query<never, { name: string; at: number }>(
      "UPDATE volumes SET last_used = $at WHERE name = $name",
    )
    for (const name of names) update.run({ name, at })
  }

  /** Decides that it is removed. */
  condemn(name: string): void {
    this.#database
      .query<never, { name: string }>(`UPDATE volumes SET anonymous = ${CONDEMNED} WHERE name = $name`)
      .run({ name })
  }

  delete(id: string): void {
    const remove = this.#database.query<never, { id: string }>("DELETE FROM volumes WHERE id = $id")
    this.#database.essential(() => {
      remove.run({ id })
    })
  }
}
