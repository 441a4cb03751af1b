// The exec root: what belongs to one boot of the machine. It lies on a tmpfs, for bundles and exit files are written in
// the middle of every start; where the host's /run is on a disk, the engine mounts a tmpfs there itself.
import { readdirSync, statfsSync } from "node:fs"
import { join } from "node:path"
import { describeError } from "./lib/errors.ts"
import { ensureDirectory } from "./lib/files.ts"
import { log } from "./lib/log.ts"
import { MS, mount } from "./lib/syscalls/mount.ts"

const TMPFS_MAGIC = 0x01021994

/** Where layers are mounted. */
export function layerMounts({ execRoot }: { readonly execRoot: string }): string {
  return join(execRoot, "layers")
}

/** Where images are mounted for users who choose no other place. */
export function imageMounts({ execRoot }: { readonly execRoot: string }): string {
  return join(execRoot, "images")
}

/** Where layers are shown together, to be compared with what was written over them. */
export function uppersMounts({ execRoot }: { readonly execRoot: string }): string {
  return join(execRoot, "uppers")
}

/** Where the files of containers that do not run are mounted while they are copied. */
export function copyMounts({ execRoot }: { readonly execRoot: string }): string {
  return join(execRoot, "copies")
}

export function prepareExecRoot(path: string): void {
  ensureDirectory(path, 0o711)
  if (statfsSync(path).type === TMPFS_MAGIC) return
  // What is there already belongs to containers that run: hiding it would lose them.
  if (readdirSync(path).length > 0) return
  try {
    mount("tmpfs", path, { type: "tmpfs", flags: MS.NOSUID | MS.NODEV, data: "mode=0711" })
  } catch (error) {
    log.warn("The exec root is not on a tmpfs and none could be mounted; starts are slower", {
      path,
      error: describeError(error),
    })
  }
}
