// Where volumes lie: volumes/<directory>/_data is what is mounted, beside it are the file system of a limited volume and
// the snapshots. A directory is the volume's first name, as Docker has it, or the id where that is taken.
import { existsSync, mkdirSync, readdirSync, renameSync, rmdirSync, rmSync } from "node:fs"
import { join } from "node:path"
import { errnoName } from "../../lib/errors.ts"
import { ensureDirectory, syncDirectory } from "../../lib/files.ts"
import { log } from "../../lib/log.ts"
import { mountedBelow } from "../../lib/mountinfo.ts"
import { unmount } from "../../lib/syscalls/mount.ts"
import { isForeign, type Volume } from "./record.ts"

/** In front of a directory whose removal was decided, or that is being filled; no volume's name begins so. */
const REMOVED = ".removed-"
const NEW = ".new-"

export class VolumePlaces {
  readonly root: string

  constructor(root: string) {
    this.root = root
    ensureDirectory(root)
  }

  of({ directory }: Pick<Volume, "directory">): string {
    return join(this.root, directory)
  }

  /** What containers mount. */
  data(volume: Pick<Volume, "directory">): string {
    return join(this.of(volume), "_data")
  }

  /** The file system of a volume that is limited by one. */
  image(volume: Pick<Volume, "directory">): string {
    return join(this.of(volume), "image")
  }

  snapshots(volume: Pick<Volume, "directory">): string {
    return join(this.of(volume), "snapshots")
  }

  /** The directory of a volume that is being filled, and has no row. */
  fresh(id: string): string {
    return join(this.root, `${NEW}${id}`)
  }

  /** A name that nothing has on the disk. */
  choose(name: string, id: string): string {
    return existsSync(join(this.root, name)) ? id : name
  }

  make(volume: Pick<Volume, "directory">): void {
    mkdirSync(this.data(volume), { recursive: true, mode: 0o755 })
    syncDirectory(this.root)
  }

  /** Undoes `make`, of what nobody has used. */
  unmake(volume: Pick<Volume, "directory">): void {
    rmSync(this.of(volume), { recursive: true, force: true })
  }

  /** From here on the removal is decided: what a crash leaves of it is finished by the sweep. */
  putAside(volume: Pick<Volume, "id" | "directory">): void {
    try {
      renameSync(this.of(volume), join(this.root, `${REMOVED}${volume.id}`))
    } catch (error) {
      // A crash came between this and the row; or somebody took the directory away by hand.
      if (errnoName(error) !== "ENOENT") throw error
    }
  }

  clear(volume: Pick<Volume, "id" | "record">): void {
    removeDirectory(join(this.root, `${REMOVED}${volume.id}`), isForeign(volume.record))
  }

  /** What lies there and is no volume's, by what it is. */
  entries(): { readonly kind: "removed" | "new" | "volume"; readonly name: string; readonly path: string }[] {
    return readdirSync(this.root).map((entry) => {
      const kind = entry.startsWith(REMOVED) ? "removed" : entry.startsWith(NEW) ? "new" : "volume"
      const name = kind === "removed" ? entry.slice(REMOVED.length) : kind === "new" ? entry.slice(NEW.length) : entry
      return { kind, name, path: join(this.root, entry) }
    })
  }

  /** Of a creation that never came to its row: empty ones go, a full one is only named. */
  removeStray(path: string): void {
    const data = join(path, "_data")
    const foreign = readdirSync(path).some((name) => name !== "_data")
    if (foreign || (existsSync(data) && readdirSync(data).length > 0)) {
      log.warn("A volume directory has no row; it is kept", { directory: path })
      return
    }
    if (existsSync(data)) rmdirSync(data)
    rmdirSync(path)
  }
}

/**
 * What is mounted in there is let go first: behind it lie files that are no part of the volume. Where files of others are
 * mounted by design, nothing below is deleted but an empty directory, should a mount come late.
 */
export function removeDirectory(directory: string, foreign = false): void {
  for (const { path, type } of mountedBelow(directory)) {
    if (!foreign) log.warn("A removed volume had something mounted in it, which is let go", { path, type })
    unmount(path)
  }
  if (foreign) {
    try {
      rmdirSync(join(directory, "_data"))
    } catch (error) {
      if (errnoName(error) !== "ENOENT") {
        log.warn("A removed volume's directory is kept: files were written to it while nothing was mounted", {
          directory,
        })
        return
      }
    }
  }
  rmSync(directory, { recursive: true, force: true })
}
