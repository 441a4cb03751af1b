// The one SQLite database of a state root: what exists. WAL, so that readers never wait; a commit survives a SIGKILL at
// any instant, and a power failure loses at most the last commits, never consistency (docs/adr/0003-sqlite-state.md).
import { Database as Sqlite, type Statement } from "bun:sqlite"
import { DhowError, errnoName } from "../lib/errors.ts"
import { MIGRATIONS } from "./migrations/index.ts"
import type { Reserve } from "./reserve.ts"

/** A transaction's body is synchronous: bun:sqlite would commit at the first await. */
type Sync<T> = T extends PromiseLike<unknown> ? never : T

export class Database {
  readonly #sqlite: Sqlite
  #reserve: Reserve | undefined

  private constructor(sqlite: Sqlite) {
    this.#sqlite = sqlite
  }

  /** Opens or creates the database at `path` and applies the migrations that it lacks. */
  static open(path: string): Database {
    const sqlite = new Sqlite(path, { create: true, strict: true })
    sqlite.run("PRAGMA journal_mode = WAL")
    sqlite.run("PRAGMA synchronous = NORMAL")
    sqlite.run("PRAGMA foreign_keys = ON")
    sqlite.run("PRAGMA busy_timeout = 5000")
    sqlite.run("PRAGMA cache_size = -2000")
    const database = new Database(sqlite)
    database.#migrate(path)
    return database
  }

  /** A prepared statement, cached by its text. */
  query<Row, Parameters extends Record<string, string | number | bigint | boolean | null | Uint8Array>>(
    sql: string,
  ): Statement<Row, [Parameters]>
  query<Row>(sql: string): Statement<Row, []>
  query<Row>(sql: string): Statement<Row, []> {
    return this.#sqlite.query<Row, []>(sql)
  }

  /** All or nothing, and synchronous. Nested calls join the outer transaction. */
  transaction<T>(body: () => Sync<T>): T {
    if (this.#sqlite.inTransaction) return body()
    return this.#sqlite.transaction(body).immediate() as T
  }

  /** Space to give up for what is `essential`. */
  useReserve(reserve: Reserve): void {
    this.#reserve = reserve
  }

  /** For writes that free space, or that somebody waits for: on a full disk they may use the reserve. */
  essential<T>(body: () => Sync<T>): T {
    try {
      return body()
    } catch (error) {
      // In a transaction it is the whole that has to be tried again, by whoever began it.
      if (errnoName(error) !== "SQLITE_FULL" || this.#sqlite.inTransaction || this.#reserve?.release() !== true)
        throw error
      return body()
    }
  }

  close(): void {
    this.#sqlite.close()
  }

  #migrate(path: string): void {
    const row = this.#sqlite.query<{ user_version: number }, []>("PRAGMA user_version").get()
    const version = row?.user_version ?? 0
    if (version > MIGRATIONS.length)
      throw new DhowError("unavailable", `State in "${path}" was written by a newer dhow (version ${version})`, {
        hint: "Start the newer dhow, or another --data-root",
      })
    for (const [index, sql] of MIGRATIONS.entries()) {
      if (index < version) continue
      this.#sqlite.transaction(() => {
        this.#sqlite.run(sql)
        this.#sqlite.run(`PRAGMA user_version = ${index + 1}`)
      })()
    }
  }
}
