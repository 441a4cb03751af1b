// An empty volume begins with what the image has at its destination.
import { closeSync, constants, readdirSync, statSync } from "node:fs"
import { DhowError, errnoName } from "../../lib/errors.ts"
import type { IdRanges } from "../../lib/syscalls/id-map.ts"
import { openInRoot } from "../../lib/syscalls/open-in-root.ts"
import { chownTree } from "./mount-owners.ts"
import type { ResolvedMount } from "./record.ts"
import type { FoundMount } from "./volume-holds.ts"

/**
 * Copies what the image has at the destination into a volume, or a part of one, that is still empty, owners and all. Of a
 * mapped one the owners are those outside.
 */
export async function fillVolume(
  mount: FoundMount,
  source: string,
  { rootfs, ranges }: { readonly rootfs: string; readonly ranges: IdRanges | undefined },
): Promise<void> {
  if (!(mount.copyUp || ranges !== undefined)) return
  if (!(mount.found?.isEmpty ?? readdirSync(source).length === 0)) return
  if (mount.copyUp) await copyUp(mount, source, rootfs)
  if (ranges !== undefined && !isMappedAlready(source, ranges)) await chownTree(source, ranges)
}

/** An empty volume that somebody used with the same map. */
function isMappedAlready(source: string, { uids }: IdRanges): boolean {
  const { uid } = statSync(source)
  return readdirSync(source).length === 0 && uids.some(({ host, size }) => uid >= host && uid < host + size)
}

async function copyUp(mount: ResolvedMount, source: string, rootfs: string): Promise<void> {
  let fd: number
  try {
    fd = openInRoot(rootfs, mount.Destination, constants.O_RDONLY | constants.O_DIRECTORY)
  } catch (error) {
    const name = errnoName(error)
    if (name === "ENOENT" || name === "ENOTDIR" || name === "ELOOP") return
    throw error
  }
  try {
    // The copier gets the directory as its descriptor 3, so that no name inside the image is resolved a second time.
    const child = Bun.spawn(["cp", "-a", "--reflink=auto", "/proc/self/fd/3/.", `${source}/`], {
      stdio: ["ignore", "ignore", "pipe", fd],
    })
    const [status, message] = await Promise.all([child.exited, new Response(child.stderr).text()])
    if (status !== 0)
      throw new DhowError(
        "internal",
        `Cannot fill volume "${mount.Name}" from "${mount.Destination}" of the image: ${message.trim()}`,
      )
  } finally {
    closeSync(fd)
  }
}
