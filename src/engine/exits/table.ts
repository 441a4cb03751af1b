// The exits table: what is kept of the last ends of each container, and for a while of containers that are removed. The
// report is written with the row that says so, in one transaction; what takes longer to read is added afterwards.
import type { Database } from "../../state/database.ts"
import { readJsonColumn } from "../../state/json-column.ts"
import type { ExitDetail, ExitReport } from "../../wire/exit.ts"

/** Of each container that is there. */
const KEEP_EACH = 10
/** Of removed ones, all together. */
const KEEP_REMOVED = 1000
const KEEP_REMOVED_MS = 7 * 24 * 3600 * 1000
const PRUNE_EVERY = 100

type Row = { readonly id: number; readonly report: string; readonly detail: string | null }

/** A report with the number of its row. */
export type StoredExit = { readonly row: number; readonly report: ExitReport }

export class ExitTable {
  readonly #database: Database
  #sincePrune = 0

  constructor(database: Database) {
    this.#database = database
  }

  /** Call it inside the transaction that records the end. */
  add(report: ExitReport): number {
    const { Detail: detail, ...rest } = report
    const insert = this.#database.query<
      { id: number },
      { container: string; name: string; finished: number; report: string; detail: string | null }
    >(
      `INSERT INTO exits (container, name, finished_at, report, detail)
       VALUES ($container, $name, $finished, $report, $detail) RETURNING id`,
    )
    const row = insert.get({
      container: report.ContainerID,
      name: report.Name,
      finished: Math.floor(Date.parse(report.FinishedAt)),
      report: JSON.stringify(rest),
      detail: detail === undefined ? null : JSON.stringify(detail),
    })
    return row?.id ?? 0
  }

  describe(row: number, detail: ExitDetail): void {
    this.#database
      .query<never, { row: number; detail: string }>("UPDATE exits SET detail = $detail WHERE id = $row")
      .run({ row, detail: JSON.stringify(detail) })
  }

  /** Newest first. */
  of(container: string): StoredExit[] {
    return this.#read(
      this.#database
        .query<Row, { container: string }>(
          "SELECT id, report, detail FROM exits WHERE container = $container ORDER BY id DESC LIMIT 10",
        )
        .all({ container }),
    )
  }

  /** Ids of containers that had this id, a longer one that begins so, or this name; the one that ended last is first. */
  containersNamed(reference: string): string[] {
    const isPrefix = /^[0-9a-f]{4,64}$/.test(reference)
    return this.#database
      .query<{ container: string }, { reference: string; prefix: string }>(
        `SELECT container FROM exits WHERE name = $reference OR container GLOB $prefix
         GROUP BY container ORDER BY max(id) DESC`,
      )
      .all({ reference, prefix: isPrefix ? `${reference}*` : "none" })
      .map(({ container }) => container)
  }

  /** All that ended at `since` or later, in milliseconds; oldest first. */
  since(since: number): StoredExit[] {
    return this.#read(
      this.#database
        .query<Row, { since: number }>("SELECT id, report, detail FROM exits WHERE finished_at >= $since ORDER BY id")
        .all({ since }),
    )
  }

  /** Now and then takes away what is old. Never on somebody's way. */
  prune(now = Date.now()): void {
    if (++this.#sincePrune < PRUNE_EVERY) return
    this.#sincePrune = 0
    this.#database.transaction(() => {
      this.#database
        .query<never, { keep: number }>(
          `DELETE FROM exits WHERE id IN (
             SELECT id FROM (SELECT id, row_number() OVER (PARTITION BY container ORDER BY id DESC) AS age FROM exits)
             WHERE age > $keep)`,
        )
        .run({ keep: KEEP_EACH })
      this.#database
        .query<never, { keep: number; oldest: number }>(
          `DELETE FROM exits WHERE container NOT IN (SELECT id FROM containers) AND (finished_at < $oldest OR id IN (
             SELECT id FROM exits WHERE container NOT IN (SELECT id FROM containers)
             ORDER BY id DESC LIMIT -1 OFFSET $keep))`,
        )
        .run({ keep: KEEP_REMOVED, oldest: now - KEEP_REMOVED_MS })
    })
  }

  #read(rows: readonly Row[]): StoredExit[] {
    return rows.flatMap(({ id, report: text, detail }) => {
      const report = readJsonColumn<ExitReport>(text, `exit ${id}`)
      const Detail = detail === null ? undefined : readJsonColumn<ExitDetail>(detail, `exit ${id}`)
      return report === undefined ? [] : [{ row: id, report: Detail === undefined ? report : { ...report, Detail } }]
    })
  }
}
