// The rows of images and their names. A tag points to a target, the digest of an index or manifest kept verbatim; a
// target holds the images (one per platform) that exist on this machine. Every reader sees whole images only: the rows
// come last, in one transaction.
import type { Digest } from "../../oci/digest.ts"
import type { Platform } from "../../oci/platform.ts"
import type { Database } from "../../state/database.ts"

export type ImageRow = {
  readonly id: Digest
  readonly manifest: Digest
  readonly os: string
  readonly arch: string
  readonly variant: string
  readonly size: number
  readonly created_at: number
  readonly pulled_at: number
  readonly last_used: number | null
}

/** `reference` is canonical: "docker.io/library/busybox:latest", or "docker.io/library/busybox@sha256:…". */
export type TagRow = { readonly reference: string; readonly target: Digest; readonly tagged_at: number }

export type ImageRecords = ReturnType<typeof imageRecords>

export function platformOf(row: Pick<ImageRow, "os" | "arch" | "variant">): Platform {
  const { os, arch: architecture, variant } = row
  return variant === "" ? { os, architecture } : { os, architecture, variant }
}

/** An image as it is packed in a target. */
const IN_TARGET = `images.id, coalesce(target_images.manifest, images.manifest) AS manifest, images.os, images.arch,
  images.variant, images.size, images.created_at, images.pulled_at, images.last_used`

export function imageRecords(database: Database) {
  const byReference = database.query<ImageRow & { target: Digest }, { reference: string }>(
    `SELECT ${IN_TARGET}, tags.target AS target FROM tags
       JOIN target_images USING (target) JOIN images ON images.id = target_images.image_id
      WHERE tags.reference = $reference`,
  )
  const byTarget = database.query<ImageRow, { target: string }>(
    `SELECT ${IN_TARGET} FROM target_images JOIN images ON images.id = target_images.image_id
      WHERE target_images.target = $target`,
  )
  const byId = database.query<ImageRow, { id: string }>("SELECT * FROM images WHERE id = $id")
  const byPrefix = database.query<ImageRow, { from: string; below: string }>(
    "SELECT * FROM images WHERE id >= $from AND id < $below LIMIT 2",
  )
  const tagsOfImage = database.query<TagRow, { id: string }>(
    `SELECT tags.* FROM target_images JOIN tags USING (target)
      WHERE target_images.image_id = $id ORDER BY tags.reference`,
  )
  const tag = database.query<TagRow, { reference: string }>("SELECT * FROM tags WHERE reference = $reference")
  const tagsOfTarget = database.query<TagRow, { target: string }>("SELECT * FROM tags WHERE target = $target")
  const targetsOfImage = database.query<{ target: Digest }, { id: string }>(
    "SELECT target FROM target_images WHERE image_id = $id ORDER BY target",
  )
  const allImages = database.query<ImageRow>("SELECT * FROM images")
  const allTags = database.query<TagRow>("SELECT * FROM tags ORDER BY reference")
  const allTargets = database.query<{ target: Digest; image_id: Digest }>("SELECT target, image_id FROM target_images")
  const putImage = database.query<
    never,
    {
      id: string
      manifest: string
      os: string
      arch: string
      variant: string
      size: number
      created_at: number
      pulled_at: number
    }
  >(
    `INSERT INTO images (id, manifest, os, arch, variant, size, created_at, pulled_at)
     VALUES ($id, $manifest, $os, $arch, $variant, $size, $created_at, $pulled_at)
     ON CONFLICT (id) DO UPDATE SET manifest = excluded.manifest, pulled_at = excluded.pulled_at`,
  )
  const putTarget = database.query<never, { target: string; id: string; manifest: string }>(
    `INSERT INTO target_images (target, image_id, manifest) VALUES ($target, $id, $manifest)
     ON CONFLICT DO UPDATE SET manifest = excluded.manifest`,
  )
  const putTag = database.query<never, { reference: string; target: string; now: number }>(
    `INSERT INTO tags (reference, target, tagged_at) VALUES ($reference, $target, $now)
     ON CONFLICT (reference) DO UPDATE SET target = excluded.target, tagged_at = excluded.tagged_at`,
  )
  const dropTag = database.query<never, { reference: string }>("DELETE FROM tags WHERE reference = $reference")
  const leaveTarget = database.query<never, { target: string; id: string }>(
    "DELETE FROM target_images WHERE target = $target AND image_id = $id",
  )
  const dropImage = database.query<never, { id: string }>("DELETE FROM images WHERE id = $id")
  const touch = database.query<never, { id: string; now: number }>("UPDATE images SET last_used = $now WHERE id = $id")

  return {
    transaction: <T>(body: () => T extends PromiseLike<unknown> ? never : T): T => database.transaction<T>(body),
    /** The images that a name holds, one per platform. */
    named: (reference: string) => byReference.all({ reference }),
    inTarget: (target: Digest) => byTarget.all({ target }),
    image: (id: Digest): ImageRow | undefined => byId.get({ id }) ?? undefined,
    /** At most two images whose id begins with these hex digits: two means ambiguous. */
    withPrefix: (hex: string) => byPrefix.all({ from: `sha256:${hex}`, below: `sha256:${hex}g` }),
    tag: (reference: string): TagRow | undefined => tag.get({ reference }) ?? undefined,
    tagsOf: (id: Digest) => tagsOfImage.all({ id }),
    tagsOfTarget: (target: Digest) => tagsOfTarget.all({ target }),
    targetsOf: (id: Digest) => targetsOfImage.all({ id }).map((row) => row.target),
    images: () => allImages.all(),
    tags: () => allTags.all(),
    targets: () => allTargets.all(),
    putImage: (row: Omit<ImageRow, "last_used">, targets: readonly Digest[]): void => {
      putImage.run(row)
      for (const target of targets) putTarget.run({ target, id: row.id, manifest: row.manifest })
    },
    /** An image that exists is in a target, too, by another manifest. */
    putPacked: (target: Digest, id: Digest, manifest: Digest): void => {
      putTarget.run({ target, id, manifest })
    },
    putTag: (reference: string, target: Digest): void => {
      putTag.run({ reference, target, now: Date.now() })
    },
    dropTag: (reference: string): void => {
      dropTag.run({ reference })
    },
    leaveTarget: (target: Digest, id: Digest): void => {
      leaveTarget.run({ target, id })
    },
    dropImage: (id: Digest): void => {
      dropImage.run({ id })
    },
    touch: (id: Digest, at: number): void => {
      touch.run({ id, now: at })
    },
  }
}
