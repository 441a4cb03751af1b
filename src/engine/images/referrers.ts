// What is about an image and goes where it goes: signatures, attestations, lists of contents. Kept by the manifest that
// they are about (src/engine/gc.ts), as long as that one is kept.
import type { Digest } from "../../oci/digest.ts"
import type { Database } from "../../state/database.ts"

export type Referrer = {
  readonly subject: Digest
  readonly digest: Digest
  /** The tag that leads to it where no registry lists it; "" otherwise. */
  readonly tag: string
}

export type Referrers = ReturnType<typeof referrers>

export function referrers(database: Database) {
  const select = database.query<Referrer, { subject: string }>(
    "SELECT * FROM referrers WHERE subject = $subject ORDER BY digest, tag",
  )
  const insert = database.query<never, Record<keyof Referrer, string>>(
    "INSERT OR IGNORE INTO referrers (subject, digest, tag) VALUES ($subject, $digest, $tag)",
  )
  const forget = database.query<never, { subject: string; tag: string }>(
    "DELETE FROM referrers WHERE subject = $subject AND tag = $tag AND tag <> ''",
  )
  return {
    of: (subject: Digest): readonly Referrer[] => select.all({ subject }),
    remember(found: readonly Referrer[]): void {
      database.transaction(() => {
        for (const one of found) {
          // A tag leads to one manifest at a time; a list only grows.
          forget.run({ subject: one.subject, tag: one.tag })
          insert.run(one)
        }
      })
    },
  }
}
