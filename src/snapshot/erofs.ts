// The form of layers that unpacks nothing: a layer stays the tar it was, with an EROFS index beside it, and is mounted from
// the two. One mount of a layer serves every snapshot that stands on it.
//
//   <directory>/<layer key>/{layer.tar,index}    the tar is a second name of the content store's file
//   <mounts>/<layer key>                         where the layer is mounted while it is needed; gone with the boot
import {
  closeSync,
  constants,
  copyFileSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  rmdirSync,
  statSync,
} from "node:fs"
import { dirname, join } from "node:path"
import { DhowError, errnoName } from "../lib/errors.ts"
import { ensureDirectory, syncDirectory } from "../lib/files.ts"
import { sameBytes } from "../lib/same-tree.ts"
import { unmountAll } from "../lib/syscalls/mount.ts"
import { ROOT_OFFSET } from "./erofs/format.ts"
import { isErofsMounted, type MountWay, mountErofs } from "./erofs/mount.ts"
import type { LayerForm, LayerRequest, LayerRoot, MadeLayer } from "./layer-form.ts"
import { layerProcess } from "./layer-process.ts"

export type ErofsOptions = {
  /** Command line that runs an internal verb of this program: [program, "internal"]. */
  readonly internalCommand: readonly string[]
  /** Directory for the layers' mounts. */
  readonly mounts: string
  /** What probeErofs() found. */
  readonly way: MountWay
}

export function indexedLayers(options: ErofsOptions): LayerForm {
  return new IndexedLayers(options)
}

class IndexedLayers implements LayerForm {
  readonly name = "erofs"
  readonly #options: ErofsOptions

  constructor(options: ErofsOptions) {
    this.#options = options
    // Closed to other users of the host: layers hold setuid programs and files that are only safe inside a container.
    ensureDirectory(options.mounts, 0o700)
  }

  async make({ diffId, tar, directory, userXattr, signal }: LayerRequest): Promise<MadeLayer> {
    if (userXattr) throw new DhowError("internal", "A user namespace cannot mount EROFS")
    const files = filesIn(directory)
    placeTar(tar, files.tar)
    return await layerProcess([...this.#options.internalCommand, "index-layer", diffId, files.tar, files.index], signal)
  }

  renamed(directory: string): void {
    syncDirectory(directory)
    syncDirectory(dirname(directory))
  }

  where(key: string): string {
    return join(this.#options.mounts, key)
  }

  open(key: string, directory: string): string {
    const target = this.where(key)
    // Asked of the kernel each time, in microseconds: a mount may be there from a daemon before, or be gone.
    if (isErofsMounted(target)) return target
    mkdirSync(target, { recursive: true, mode: 0o700 })
    mountErofs(this.#options.way, filesIn(directory), target)
    return target
  }

  close(key: string): void {
    const target = this.where(key)
    unmountAll(target)
    try {
      rmdirSync(target)
    } catch (error) {
      if (errnoName(error) !== "ENOENT") throw error
    }
  }

  /** Read from the root's inode, without a mount. */
  root(directory: string): LayerRoot {
    const inode = Buffer.alloc(32)
    const fd = openSync(filesIn(directory).index, "r")
    try {
      readSync(fd, inode, 0, inode.length, ROOT_OFFSET)
    } finally {
      closeSync(fd)
    }
    return { mode: inode.readUInt16LE(4) & 0o7777, uid: inode.readUInt32LE(24), gid: inode.readUInt32LE(28) }
  }

  async difference(directory: string, anew: string): Promise<string | undefined> {
    const [here, there] = [filesIn(directory), filesIn(anew)]
    for (const [path, wanted, what] of [
      [here.tar, there.tar, "its tar"],
      [here.index, there.index, "its index"],
    ] as const) {
      const found = statSync(path, { throwIfNoEntry: false })
      if (found === undefined) return `${what} is missing`
      if (found.ino !== statSync(wanted).ino && !(await sameBytes(path, wanted))) return `${what} has other bytes`
    }
    return undefined
  }

  survived(directory: string): boolean {
    // Only what is surely absent counts: a file that cannot be read throws. A row was written after both were durable.
    const { tar, index } = filesIn(directory)
    return [tar, index].every((path) => statSync(path, { throwIfNoEntry: false }) !== undefined)
  }

  sweep(inUse: ReadonlySet<string>): readonly string[] {
    for (const key of readdirSync(this.#options.mounts)) if (!inUse.has(key)) this.close(key)
    return []
  }
}

/** Takes every mount of a layer away: for the end of a state root. */
export function unmountLayers(mounts: string): void {
  let keys: readonly string[] = []
  try {
    keys = readdirSync(mounts)
  } catch (error) {
    if (errnoName(error) !== "ENOENT") throw error
  }
  for (const key of keys) unmountAll(join(mounts, key))
}

function filesIn(directory: string): { readonly tar: string; readonly index: string } {
  return { tar: join(directory, "layer.tar"), index: join(directory, "index") }
}

/** Without a second copy wherever the file system allows it. */
function placeTar(from: string, to: string): void {
  try {
    linkSync(from, to)
  } catch (error) {
    if (!["EXDEV", "EPERM", "EMLINK"].includes(errnoName(error) ?? "")) throw error
    copyFileSync(from, to, constants.COPYFILE_FICLONE)
    const fd = openSync(to, "r")
    try {
      fsyncSync(fd)
    } finally {
      closeSync(fd)
    }
  }
}
