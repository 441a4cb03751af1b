// The containers table and its image in memory. Every change goes to the row first; the map follows, so that reads cost
// nothing and a crash loses nothing.
import { DhowError } from "../../lib/errors.ts"
import type { Database } from "../../state/database.ts"
import { readJsonColumn } from "../../state/json-column.ts"
import type { HealthRecord } from "./health.ts"
import type { Container, ContainerRecord, ContainerState, Editable, Intent } from "./record.ts"

type Row = {
  readonly id: string
  readonly name: string
  readonly status: string
  readonly image_id: string
  readonly record: string
  readonly state: string
  readonly intent: Intent | null
}

/** A container whose row cannot be read as a whole: it exists, keeps its name and all it has, and nothing is done to it. */
export type UnreadableContainer = Pick<Row, "id" | "name" | "status" | "image_id" | "record">

type Amendment = Partial<Editable & Pick<ContainerRecord, "name" | "pending" | "leftNetworks">>

export class ContainerStore {
  readonly #database: Database
  readonly #byId = new Map<string, Container>()
  readonly #idByName = new Map<string, string>()
  readonly #unreadable = new Map<string, UnreadableContainer>()

  constructor(database: Database) {
    this.#database = database
    const columns = "id, name, status, image_id, record, state, intent"
    for (const row of database.query<Row>(`SELECT ${columns} FROM containers ORDER BY created_at`).all()) {
      const record = readJsonColumn<ContainerRecord>(row.record, `container "${row.name}"`)
      const state = readJsonColumn<ContainerState>(row.state, `container "${row.name}"`)
      if (record?.id === row.id && state?.status === row.status)
        this.#remember({ record, state, intent: row.intent ?? undefined })
      else {
        this.#unreadable.set(row.id, row)
        this.#idByName.set(row.name, row.id)
      }
    }
  }

  /** All of them, oldest first. */
  all(): Container[] {
    return [...this.#byId.values()]
  }

  unreadable(): UnreadableContainer[] {
    return [...this.#unreadable.values()]
  }

  /** Whether a row names it, readable or not: what belongs to it is no garbage. */
  exists(id: string): boolean {
    return this.#byId.has(id) || this.#unreadable.has(id)
  }

  get(id: string): Container {
    const found = this.#byId.get(id)
    if (found === undefined) throw new DhowError("not-found", `No such container: ${id}`)
    return found
  }

  find(id: string): Container | undefined {
    return this.#byId.get(id)
  }

  /** By full id, name (with or without the leading slash), or unique prefix of an id, in this order, as Docker does. */
  resolve(reference: string): Container {
    const name = reference.startsWith("/") ? reference.slice(1) : reference
    const exact = this.#byId.get(reference) ?? this.#byId.get(this.#idByName.get(name) ?? "")
    if (exact !== undefined) return exact
    const known = [...this.#byId.keys(), ...this.#unreadable.keys()]
    const linked = name.includes("/") ? this.#linked(name) : undefined
    if (linked !== undefined) return linked
    const candidates = reference === "" ? [] : known.filter((id) => id.startsWith(reference))
    if (candidates.length > 1) throw new DhowError("invalid", `multiple IDs found with provided prefix: ${reference}`)
    const only = candidates[0] ?? this.#idByName.get(name)
    const damaged = this.#unreadable.get(only ?? "")
    if (damaged !== undefined)
      throw new DhowError(
        "internal",
        `Container "${damaged.name}" cannot be used: its row in the database is damaged`,
        {
          hint: `Stop the engine and mend or delete the row "${damaged.id}" of table "containers" in dhow.db`,
        },
      )
    if (only === undefined) throw new DhowError("not-found", `No such container: ${reference}`)
    return this.get(only)
  }

  /** By the name of a link: "parent/alias". */
  #linked(name: string): Container | undefined {
    const slash = name.indexOf("/")
    const parent = this.#byId.get(this.#idByName.get(name.slice(0, slash)) ?? "")
    const alias = name.slice(slash)
    const link = parent?.record.hostConfig.Links?.find((text) => `/${text.slice(65)}` === alias)
    return link === undefined ? undefined : this.#byId.get(link.slice(0, 64))
  }

  idOfName(name: string): string | undefined {
    return this.#idByName.get(name)
  }

  /**
   * The moment a container begins to exist, with the rows of what is its own: `together` is in the same transaction.
   * Conflict when the name is taken, in Docker's words.
   */
  insert(record: ContainerRecord, state: ContainerState, together: () => void = () => undefined): Container {
    const holder = this.#idByName.get(record.name)
    if (holder !== undefined) throw nameConflict(record.name, holder)
    const insert = this.#database.query<
      never,
      { id: string; name: string; status: string; image: string; created: number; record: string; state: string }
    >(
      `INSERT INTO containers (id, name, status, image_id, created_at, record, state)
       VALUES ($id, $name, $status, $image, $created, $record, $state)`,
    )
    this.#database.transaction(() => {
      together()
      insert.run({
        id: record.id,
        name: record.name,
        status: state.status,
        image: record.imageId,
        created: Date.parse(record.created),
        record: JSON.stringify(record),
        state: JSON.stringify(state),
      })
    })
    return this.#remember({ record, state, intent: undefined })
  }

  /** Records what was observed, and that nothing is under way unless `intent` says so. `together` as at `insert`. */
  observe(id: string, state: ContainerState, intent?: Intent, together?: () => void): Container {
    const { record } = this.get(id)
    const update = this.#database.query<never, { id: string; status: string; state: string; intent: string | null }>(
      "UPDATE containers SET status = $status, state = $state, intent = $intent WHERE id = $id",
    )
    const write = (): void => {
      update.run({ id, status: state.status, state: JSON.stringify(state), intent: intent ?? null })
      together?.()
    }
    this.#database.essential(() => (together === undefined ? write() : this.#database.transaction(write)))
    return this.#remember({ record, state, intent })
  }

  /** Results of health checks, which another engine goes on with. */
  recordHealth(id: string, record: HealthRecord): void {
    this.#database
      .query<never, { id: string; record: string }>(
        "INSERT INTO health (container, record) VALUES ($id, $record) ON CONFLICT DO UPDATE SET record = $record",
      )
      .run({ id, record: JSON.stringify(record) })
  }

  healthRecord(id: string): HealthRecord | undefined {
    const row = this.#database
      .query<{ record: string }, { id: string }>("SELECT record FROM health WHERE container = $id")
      .get({ id })
    return row === null ? undefined : readJsonColumn<HealthRecord>(row.record, `health of container ${id}`)
  }

  /** Records what is about to be done. */
  intend(id: string, intent: Intent | undefined): Container {
    const { record, state } = this.get(id)
    this.#database
      .query<never, { id: string; intent: string | null }>("UPDATE containers SET intent = $intent WHERE id = $id")
      .run({ id, intent: intent ?? null })
    return this.#remember({ record, state, intent })
  }

  /** Changes what was asked for: rename, update. With `state`, what is observed of it too, `together` as at `insert`. */
  amend(
    id: string,
    changes: Amendment,
    also: { readonly state?: ContainerState; readonly together?: () => void } = {},
  ): Container {
    const before = this.get(id)
    const amended = this.#amended(before, changes, also.state)
    this.#database.transaction(() => {
      also.together?.()
      this.#update(amended)
    })
    this.#idByName.delete(before.record.name)
    return this.#remember(amended)
  }

  /** All of these or none, `together` as at `insert`. None changes its name. */
  amendAll(all: readonly { readonly id: string; readonly changes: Partial<Editable> }[], together: () => void): void {
    const amended = all.map(({ id, changes }) => this.#amended(this.get(id), changes))
    this.#database.transaction(() => {
      together()
      for (const one of amended) this.#update(one)
    })
    for (const one of amended) this.#remember(one)
  }

  #amended({ record, state, intent }: Container, changes: Amendment, observed = state): Container {
    const amended = { ...record, ...changes }
    const holder = this.#idByName.get(amended.name)
    if (holder !== undefined && holder !== record.id) throw nameConflict(amended.name, holder)
    return { record: amended, state: observed, intent }
  }

  #update({ record, state }: Container): void {
    this.#database
      .query<never, { id: string; name: string; image: string; status: string; record: string; state: string }>(
        `UPDATE containers SET name = $name, image_id = $image, status = $status, record = $record, state = $state
         WHERE id = $id`,
      )
      .run({
        id: record.id,
        name: record.name,
        image: record.imageId,
        status: state.status,
        record: JSON.stringify(record),
        state: JSON.stringify(state),
      })
  }

  /** The moment a container ceases to exist; its files are garbage from here on. `together` as at `insert`. */
  delete(id: string, together: () => void = () => undefined): void {
    const { record } = this.get(id)
    this.#database.essential(() =>
      this.#database.transaction(() => {
        together()
        this.#database.query<never, { id: string }>("DELETE FROM containers WHERE id = $id").run({ id })
      }),
    )
    this.#byId.delete(id)
    this.#idByName.delete(record.name)
  }

  #remember(container: Container): Container {
    this.#byId.set(container.record.id, container)
    this.#idByName.set(container.record.name, container.record.id)
    return container
  }
}

export function nameConflict(name: string, holder: string): DhowError {
  return new DhowError(
    "conflict",
    `Conflict. The container name "/${name}" is already in use by container "${holder}". You have to remove (or rename) that container to be able to reuse that name.`,
  )
}
