// The rows of image mounts: what may be mounted where. Whether it is, the kernel says.
import type { Digest } from "../../oci/digest.ts"
import type { Database } from "../../state/database.ts"

export type MountRow = {
  readonly path: string
  readonly image_id: Digest
  /** 1: the directory was made for the mount. */
  readonly made: number
  readonly created_at: number
}

export type MountRows = ReturnType<typeof mountRows>

export function mountRows(database: Database) {
  const all = database.query<MountRow>("SELECT * FROM image_mounts ORDER BY created_at, path")
  const ofImage = database.query<MountRow, { id: string }>("SELECT * FROM image_mounts WHERE image_id = $id")
  const insert = database.query<never, { path: string; id: string; made: number; now: number }>(
    "INSERT INTO image_mounts (path, image_id, made, created_at) VALUES ($path, $id, $made, $now)",
  )
  const remove = database.query<never, { path: string }>("DELETE FROM image_mounts WHERE path = $path")
  return {
    all: (): readonly MountRow[] => all.all(),
    ofImage: (id: Digest): readonly MountRow[] => ofImage.all({ id }),
    insert(path: string, id: Digest, made: boolean): void {
      insert.run({ path, id, made: made ? 1 : 0, now: Date.now() })
    },
    remove(path: string): void {
      database.essential(() => remove.run({ path }))
    },
  }
}
