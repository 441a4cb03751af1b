// The rows of manifest lists: entries in the order in which they came, each under the name it was given by.
import type { Digest } from "../../oci/digest.ts"
import type { Database } from "../../state/database.ts"
import { readJsonColumn } from "../../state/json-column.ts"
import type { ManifestDescriptor } from "../../wire/manifest.ts"

export type ListEntry = {
  /** Canonical: "docker.io/library/app:arm64". */
  readonly reference: string
  readonly descriptor: ManifestDescriptor
  readonly config: Digest
}

type Row = { readonly list: string; readonly reference: string; readonly entry: string }

export type ListRecords = ReturnType<typeof listRecords>

export function listRecords(database: Database) {
  const all = database.query<Row>("SELECT list, reference, entry FROM manifest_lists")
  const byList = database.query<Row, { list: string }>(
    "SELECT list, reference, entry FROM manifest_lists WHERE list = $list ORDER BY position, reference",
  )
  const put = database.query<never, { list: string; reference: string; entry: string }>(
    `INSERT INTO manifest_lists (list, reference, position, entry)
     VALUES ($list, $reference, (SELECT count(*) FROM manifest_lists WHERE list = $list), $entry)
     ON CONFLICT (list, reference) DO UPDATE SET entry = excluded.entry`,
  )
  const drop = database.query<never, { list: string }>("DELETE FROM manifest_lists WHERE list = $list")
  const read = ({ list, reference, entry }: Row): readonly ListEntry[] => {
    const value = readJsonColumn<Omit<ListEntry, "reference">>(entry, `manifest list "${list}", "${reference}"`)
    return value === undefined ? [] : [{ reference, ...value }]
  }
  return {
    /** Empty where there is no such list. */
    entries: (list: string): readonly ListEntry[] => byList.all({ list }).flatMap(read),
    put(list: string, { reference, ...entry }: ListEntry): void {
      put.run({ list, reference, entry: JSON.stringify(entry) })
    },
    drop: (list: string): void => {
      drop.run({ list })
    },
    /** Documents that must stay as long as a list names them. */
    held: (): readonly Digest[] =>
      all.all().flatMap((row) => read(row).flatMap(({ descriptor, config }) => [descriptor.digest, config])),
  }
}
