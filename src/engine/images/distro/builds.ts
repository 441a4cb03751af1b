// What was built from which inputs. Kept beside the image, not in it: a mirror signs its lists anew every day, and that
// must not change the digest of an image with the same packages.
import type { Digest } from "../../../oci/digest.ts"
import type { Database } from "../../../state/database.ts"

export type DistroBuilds = ReturnType<typeof distroBuilds>

export function distroBuilds(database: Database) {
  const select = database.query<{ image_id: Digest }, { inputs: string }>(
    "SELECT image_id FROM distro_builds WHERE inputs = $inputs",
  )
  const insert = database.query<never, { inputs: string; id: string }>(
    "INSERT OR REPLACE INTO distro_builds (inputs, image_id) VALUES ($inputs, $id)",
  )
  return {
    find: (inputs: string): Digest | undefined => select.get({ inputs })?.image_id,
    remember: (inputs: string, id: Digest): void => {
      insert.run({ inputs, id })
    },
  }
}
