// Repositories where a blob was seen: to mount it from there, or to fetch it once more. A hint that may be out of date.
import type { Digest } from "../../oci/digest.ts"
import type { Reference } from "../../oci/reference.ts"
import type { Database } from "../../state/database.ts"

export type Place = Pick<Reference, "domain" | "path">
export type BlobPlaces = ReturnType<typeof blobPlaces>

const MOST = 16

export function blobPlaces(database: Database) {
  const select = database.query<Place, { digest: string }>(
    "SELECT domain, path FROM blob_places WHERE digest = $digest ORDER BY seen_at DESC, domain, path",
  )
  const insert = database.query<never, { digest: string; domain: string; path: string; now: number }>(
    `INSERT INTO blob_places (digest, domain, path, seen_at) VALUES ($digest, $domain, $path, $now)
     ON CONFLICT DO UPDATE SET seen_at = excluded.seen_at`,
  )
  const remove = database.query<never, { digest: string; domain: string; path: string }>(
    "DELETE FROM blob_places WHERE digest = $digest AND domain = $domain AND path = $path",
  )
  return {
    /** Latest first. */
    of: (digest: Digest): readonly Place[] => select.all({ digest }),
    seen(digests: Iterable<Digest>, { domain, path }: Place): void {
      database.transaction(() => {
        for (const digest of digests) {
          insert.run({ digest, domain, path, now: Date.now() })
          for (const old of select.all({ digest }).slice(MOST)) remove.run({ digest, ...old })
        }
      })
    },
  }
}
