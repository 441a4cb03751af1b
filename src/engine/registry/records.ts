// The rows of the registry: which repository has which manifests, tags and blobs. Every change is one transaction, so
// that a reader sees a manifest with all it names or not at all.
import type { Digest } from "../../oci/digest.ts"
import type { Database } from "../../state/database.ts"
import type { NamedDigest, RepositoryName, Tag } from "./names.ts"

export type ManifestRow = {
  readonly repository: RepositoryName
  readonly digest: NamedDigest
  /** Where the content store has it. */
  readonly content: Digest
  readonly media_type: string
  readonly size: number
  readonly subject: NamedDigest | null
  readonly artifact_type: string | null
  readonly annotations: string | null
  readonly pushed_at: number
  readonly pulled_at: number
}

export type TagRow = {
  readonly repository: RepositoryName
  readonly tag: Tag
  readonly digest: NamedDigest
  readonly tagged_at: number
  readonly pulled_at: number
  readonly checked_at: number | null
}

export type BlobRow = {
  readonly repository: RepositoryName
  readonly digest: NamedDigest
  readonly content: Digest
  readonly size: number
  readonly touched_at: number
}

export type Link = { readonly digest: NamedDigest; readonly kind: "blob" | "manifest"; readonly size: number }

type At = { name: string; digest: string }
type TagAt = { name: string; tag: string }
/** How exact "last used" is: not every pull writes to the database. */
const TOUCH_MILLISECONDS = 60_000

export type RegistryRecords = ReturnType<typeof registryRecords>

export function registryRecords(database: Database) {
  const manifest = database.query<ManifestRow, At>(
    "SELECT * FROM registry_manifests WHERE repository = $name AND digest = $digest",
  )
  const tag = database.query<TagRow, TagAt>("SELECT * FROM registry_tags WHERE repository = $name AND tag = $tag")
  const tags = database.query<TagRow, { name: string }>(
    "SELECT * FROM registry_tags WHERE repository = $name ORDER BY tag",
  )
  const tagNames = database.query<{ tag: Tag }, { name: string; last: string; most: number }>(
    "SELECT tag FROM registry_tags WHERE repository = $name AND tag > $last ORDER BY tag LIMIT $most",
  )
  const blob = database.query<BlobRow, At>("SELECT * FROM registry_blobs WHERE repository = $name AND digest = $digest")
  const anyBlob = database.query<BlobRow, { digest: string }>(
    "SELECT * FROM registry_blobs WHERE digest = $digest LIMIT 1",
  )
  const names = database.query<{ name: RepositoryName }>(
    "SELECT repository AS name FROM registry_manifests UNION SELECT repository FROM registry_blobs ORDER BY 1",
  )
  const known = database.query<{ found: number }, { name: string }>(
    `SELECT EXISTS (SELECT 1 FROM registry_manifests WHERE repository = $name)
         OR EXISTS (SELECT 1 FROM registry_blobs WHERE repository = $name) AS found`,
  )
  const referrers = database.query<ManifestRow, { name: string; subject: string }>(
    "SELECT * FROM registry_manifests WHERE repository = $name AND subject = $subject ORDER BY pushed_at, digest",
  )
  const manifests = database.query<ManifestRow, { name: string }>(
    "SELECT * FROM registry_manifests WHERE repository = $name ORDER BY digest",
  )
  const linkSize = database.query<{ size: number }, At>(
    "SELECT size FROM registry_links WHERE repository = $name AND digest = $digest LIMIT 1",
  )
  const isLinked = database.query<{ found: number }, At>(
    "SELECT EXISTS (SELECT 1 FROM registry_links WHERE repository = $name AND digest = $digest) AS found",
  )
  const contents = database.query<{ digest: Digest }>(
    "SELECT content AS digest FROM registry_manifests UNION SELECT content FROM registry_blobs",
  )
  const putManifest = database.query<never, Record<string, string | number | null>>(
    `INSERT INTO registry_manifests VALUES ($repository, $digest, $content, $media_type, $size, $subject, $artifact_type,
       $annotations, $pushed_at, $pulled_at)
     ON CONFLICT (repository, digest) DO UPDATE SET media_type = excluded.media_type, pulled_at = excluded.pulled_at`,
  )
  const putLink = database.query<never, Record<string, string | number>>(
    `INSERT INTO registry_links VALUES ($repository, $manifest, $digest, $kind, $size) ON CONFLICT DO NOTHING`,
  )
  const putTag = database.query<never, Record<string, string | number | null>>(
    `INSERT INTO registry_tags VALUES ($name, $tag, $digest, $now, $now, $checked)
     ON CONFLICT (repository, tag) DO UPDATE SET tagged_at = iif(digest = excluded.digest, tagged_at, excluded.tagged_at),
       pulled_at = excluded.pulled_at, digest = excluded.digest, checked_at = excluded.checked_at`,
  )
  const putBlob = database.query<never, Record<string, string | number>>(
    `INSERT INTO registry_blobs VALUES ($repository, $digest, $content, $size, $touched_at)
     ON CONFLICT (repository, digest) DO UPDATE SET touched_at = excluded.touched_at`,
  )
  const touchTag = database.query<never, TagAt & { now: number }>(
    "UPDATE registry_tags SET pulled_at = $now WHERE repository = $name AND tag = $tag",
  )
  const touchManifest = database.query<never, At & { now: number }>(
    "UPDATE registry_manifests SET pulled_at = $now WHERE repository = $name AND digest = $digest",
  )
  const dropTag = database.query<never, TagAt>("DELETE FROM registry_tags WHERE repository = $name AND tag = $tag")
  const dropTagsOf = database.query<never, At>(
    "DELETE FROM registry_tags WHERE repository = $name AND digest = $digest",
  )
  const dropLinks = database.query<never, At>(
    "DELETE FROM registry_links WHERE repository = $name AND manifest = $digest",
  )
  const dropManifest = database.query<never, At>(
    "DELETE FROM registry_manifests WHERE repository = $name AND digest = $digest",
  )
  const dropBlob = database.query<never, At>("DELETE FROM registry_blobs WHERE repository = $name AND digest = $digest")
  const unlinkedBlobs = database.query<BlobRow, { before: number }>(
    `SELECT * FROM registry_blobs AS b WHERE touched_at < $before AND NOT EXISTS
       (SELECT 1 FROM registry_links AS l WHERE l.repository = b.repository AND l.digest = b.digest)`,
  )
  // A manifest without a name that no index holds and that is about no manifest which is still here.
  const nameless = database.query<ManifestRow, { before: number }>(
    `SELECT * FROM registry_manifests AS m WHERE pushed_at < $before AND pulled_at < $before
       AND NOT EXISTS (SELECT 1 FROM registry_tags AS t WHERE t.repository = m.repository AND t.digest = m.digest)
       AND NOT EXISTS (SELECT 1 FROM registry_links AS l WHERE l.repository = m.repository AND l.digest = m.digest)
       AND (m.subject IS NULL OR NOT EXISTS
         (SELECT 1 FROM registry_manifests AS s WHERE s.repository = m.repository AND s.digest = m.subject))`,
  )
  const sizes = database.query<{ name: RepositoryName; bytes: number }>(
    `SELECT name, sum(size) AS bytes FROM (
       SELECT DISTINCT repository AS name, content, size FROM registry_blobs
       UNION SELECT repository, content, size FROM registry_manifests) GROUP BY name`,
  )
  const total = database.query<{ bytes: number | null }>(
    `SELECT sum(size) AS bytes FROM (SELECT content, size FROM registry_blobs
       UNION SELECT content, size FROM registry_manifests)`,
  )

  const treeSize = database.query<{ bytes: number | null }, At>(
    `WITH RECURSIVE tree (digest, size) AS (
       SELECT digest, size FROM registry_manifests WHERE repository = $name AND digest = $digest
       UNION SELECT l.digest, l.size FROM registry_links AS l JOIN tree ON l.manifest = tree.digest
         WHERE l.repository = $name)
     SELECT sum(size) AS bytes FROM tree`,
  )
  const dropAll = ["manifests", "tags", "blobs", "links"].map((table) =>
    database.query<never, { name: string }>(`DELETE FROM registry_${table} WHERE repository = $name`),
  )

  const removeManifest = (name: RepositoryName, digest: NamedDigest): void => {
    dropTagsOf.run({ name, digest })
    dropLinks.run({ name, digest })
    dropManifest.run({ name, digest })
  }

  return {
    transaction: <T>(body: () => T extends PromiseLike<unknown> ? never : T): T => database.transaction<T>(body),
    manifest: (name: RepositoryName, digest: NamedDigest): ManifestRow | undefined =>
      manifest.get({ name, digest }) ?? undefined,
    manifests: (name: RepositoryName) => manifests.all({ name }),
    tag: (name: RepositoryName, text: Tag): TagRow | undefined => tag.get({ name, tag: text }) ?? undefined,
    tags: (name: RepositoryName) => tags.all({ name }),
    /** Names after `last`, in the order of their bytes. */
    tagNames: (name: RepositoryName, { last, most }: { readonly last: string; readonly most: number }) =>
      tagNames.all({ name, last, most }).map((row) => row.tag),
    blob: (name: RepositoryName, digest: NamedDigest): BlobRow | undefined => blob.get({ name, digest }) ?? undefined,
    /** In whatever repository. */
    anyBlob: (digest: NamedDigest): BlobRow | undefined => anyBlob.get({ digest }) ?? undefined,
    names: () => names.all().map((row) => row.name),
    knows: (name: RepositoryName): boolean => known.get({ name })?.found === 1,
    referrers: (name: RepositoryName, subject: NamedDigest) => referrers.all({ name, subject }),
    /** What a manifest of the repository says that a blob weighs. */
    linkedSize: (name: RepositoryName, digest: NamedDigest) => linkSize.get({ name, digest })?.size,
    isLinked: (name: RepositoryName, digest: NamedDigest): boolean => isLinked.get({ name, digest })?.found === 1,
    /** Everything in the content store that the registry needs. */
    contents: () => contents.all().map((row) => row.digest),
    bytes: () => total.get()?.bytes ?? 0,
    bytesByName: () => new Map(sizes.all().map(({ name, bytes }) => [name, bytes])),
    /** Bytes of a manifest with everything below it. */
    treeSize: (name: RepositoryName, digest: NamedDigest): number => treeSize.get({ name, digest })?.bytes ?? 0,
    dropRepository: (name: RepositoryName): void => {
      for (const statement of dropAll) statement.run({ name })
    },
    putManifest: (row: ManifestRow, links: readonly Link[]): void => {
      putManifest.run(row)
      for (const link of links) putLink.run({ repository: row.repository, manifest: row.digest, ...link })
    },
    putTag: (
      name: RepositoryName,
      text: Tag,
      { digest, checked }: { digest: NamedDigest; checked?: boolean },
    ): void => {
      const now = Date.now()
      putTag.run({ name, tag: text, digest, now, checked: checked === true ? now : null })
    },
    putBlob: (row: Omit<BlobRow, "touched_at">): void => {
      putBlob.run({ ...row, touched_at: Date.now() })
    },
    /** Somebody counts on the blob: a client was told that it is here. */
    touchBlob: (row: BlobRow): void => {
      if (row.touched_at < Date.now() - TOUCH_MILLISECONDS) putBlob.run({ ...row, touched_at: Date.now() })
    },
    touchTag: (row: TagRow): void => {
      if (row.pulled_at < Date.now() - TOUCH_MILLISECONDS)
        touchTag.run({ name: row.repository, tag: row.tag, now: Date.now() })
    },
    touchManifest: (row: ManifestRow): void => {
      if (row.pulled_at < Date.now() - TOUCH_MILLISECONDS)
        touchManifest.run({ name: row.repository, digest: row.digest, now: Date.now() })
    },
    dropTag: (name: RepositoryName, text: Tag): boolean => dropTag.run({ name, tag: text }).changes > 0,
    /** With the tags that point to it. */
    removeManifest,
    dropBlob: (name: RepositoryName, digest: NamedDigest): boolean => dropBlob.run({ name, digest }).changes > 0,
    /** Blobs that nothing links to and nobody has touched since. */
    unlinkedBlobs: (before: number) => unlinkedBlobs.all({ before }),
    namelessManifests: (before: number) => nameless.all({ before }),
  }
}
