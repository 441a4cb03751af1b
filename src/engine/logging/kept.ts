// Logs of removed containers, kept on request: the files first, hard links to the container's own, and the row in the
// transaction that removes the container. A row that is over goes before its files; the sweep takes what no row names.
import { linkSync, mkdirSync, readdirSync, rmSync } from "node:fs"
import { basename, dirname, join } from "node:path"
import { crashpoint } from "../../lib/crashpoint.ts"
import { errnoName } from "../../lib/errors.ts"
import type { Database } from "../../state/database.ts"

export type KeptLog = {
  readonly id: string
  readonly name: string
  readonly image: string
  readonly tty: boolean
  readonly details: string
  readonly removedAt: number
  readonly keepUntil: number
}

type Row = {
  id: string
  name: string
  image: string
  tty: number
  details: string
  removed_at: number
  keep_until: number
}

/** Between two looks for what is over. */
const SWEEP_MS = 15 * 60_000
const SHORTEST_ID = 3

export class KeptLogs {
  readonly #database: Database
  readonly #directory: string

  constructor(database: Database, directory: string) {
    this.#database = database
    this.#directory = directory
  }

  path(id: string): string {
    return join(this.#directory, id, "container.log")
  }

  /** Before the container's row goes; `record` is to be called in that transaction. */
  keep(log: KeptLog, from: string): { readonly record: () => void } {
    const directory = dirname(this.path(log.id))
    mkdirSync(directory, { recursive: true, mode: 0o700 })
    for (const name of readdirSync(dirname(from))) {
      if (!name.startsWith(basename(from)) || name.endsWith(".tmp")) continue
      try {
        linkSync(join(dirname(from), name), join(directory, name))
      } catch (error) {
        // There already, from a removal that a crash cut off; or just compressed.
        if (errnoName(error) !== "EEXIST" && errnoName(error) !== "ENOENT") throw error
      }
    }
    crashpoint("logging.keep:before-row")
    return { record: () => this.#insert(log) }
  }

  /** By id, unique beginning of one, or name: then the last that bore it. */
  find(reference: string): KeptLog | undefined {
    const rows = this.#database.query<Row, { reference: string; now: number }>(
      "SELECT * FROM kept_logs WHERE (id = $reference OR name = $reference) AND keep_until > $now ORDER BY removed_at DESC",
    )
    const [exact] = rows.all({ reference, now: Date.now() })
    if (exact !== undefined) return keptOf(exact)
    if (!/^[0-9a-f]+$/.test(reference) || reference.length < SHORTEST_ID) return undefined
    const some = this.all().filter(({ id }) => id.startsWith(reference))
    return some.length === 1 ? some[0] : undefined
  }

  all(): readonly KeptLog[] {
    return this.#database
      .query<Row, { now: number }>("SELECT * FROM kept_logs WHERE keep_until > $now ORDER BY removed_at")
      .all({ now: Date.now() })
      .map(keptOf)
  }

  remove(id: string): void {
    this.#database.query<never, { id: string }>("DELETE FROM kept_logs WHERE id = $id").run({ id })
    crashpoint("logging.kept:after-row")
    rmSync(join(this.#directory, id), { recursive: true, force: true })
  }

  /** Takes away what is over, and what no row names. `known` are the containers that are there. */
  sweep(known: (id: string) => boolean): void {
    const over = this.#database
      .query<{ id: string }, { now: number }>("SELECT id FROM kept_logs WHERE keep_until <= $now")
      .all({ now: Date.now() })
    for (const { id } of over) this.remove(id)
    const kept = new Set(this.all().map(({ id }) => id))
    for (const id of namesIn(this.#directory))
      if (!kept.has(id) && !known(id)) rmSync(join(this.#directory, id), { recursive: true, force: true })
  }

  sweepNowAndThen(known: (id: string) => boolean): void {
    this.sweep(known)
    setInterval(() => this.sweep(known), SWEEP_MS).unref()
  }

  #insert(log: KeptLog): void {
    this.#database
      .query<never, Row>(
        "INSERT OR REPLACE INTO kept_logs VALUES ($id, $name, $image, $tty, $details, $removed_at, $keep_until)",
      )
      .run({
        id: log.id,
        name: log.name,
        image: log.image,
        tty: log.tty ? 1 : 0,
        details: log.details,
        removed_at: log.removedAt,
        keep_until: log.keepUntil,
      })
  }
}

function keptOf(row: Row): KeptLog {
  const { id, name, image, tty, details } = row
  return { id, name, image, tty: tty === 1, details, removedAt: row.removed_at, keepUntil: row.keep_until }
}

function namesIn(directory: string): readonly string[] {
  try {
    return readdirSync(directory)
  } catch (error) {
    if (errnoName(error) === "ENOENT") return []
    throw error
  }
}
