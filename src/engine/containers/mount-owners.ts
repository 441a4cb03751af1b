// Owners of files that the engine itself puts into a mapped mount: a source that it makes, what it copies from the image.
// They are who the container's ids are outside, so that nothing of root's comes into being there.
import { constants } from "node:fs"
import { lchown, lstat, open, readdir } from "node:fs/promises"
import type { IdRanges } from "../../lib/syscalls/id-map.ts"
import { defaultOwner, outside } from "./mount-map.ts"

type Owner = { readonly uid: number; readonly gid: number }

/** Who has a file outside that belongs to `owner` inside; what is not mapped is given to the first of the map. */
export function ownerOutside({ uid, gid }: Owner, ranges: IdRanges): Owner {
  const none = defaultOwner(ranges)
  return { uid: outside(uid, ranges.uids) ?? none.uid, gid: outside(gid, ranges.gids) ?? none.gid }
}

const DIRECTORY = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW

/**
 * Gives everything in a directory, and itself, to who has it outside. Another container may write there at the same time:
 * each directory is held open, and no name is followed.
 */
export async function chownTree(path: string | Buffer, ranges: IdRanges): Promise<void> {
  const directory = await open(path, DIRECTORY)
  try {
    const open = `/proc/self/fd/${directory.fd}/`
    for (const name of await readdir(open, { encoding: "buffer" })) {
      // A name is any bytes.
      const inside = Buffer.concat([Buffer.from(open), name])
      const found = await lstat(inside)
      if (found.isDirectory()) {
        await chownTree(inside, ranges)
        continue
      }
      const { uid, gid } = ownerOutside(found, ranges)
      await lchown(inside, uid, gid)
    }
    const { uid, gid } = ownerOutside(await directory.stat(), ranges)
    await directory.chown(uid, gid)
  } finally {
    await directory.close()
  }
}
