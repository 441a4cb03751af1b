// Directories that a fresh snapshot is to have and its layers lack. They are written where a mounted overlay would write
// them, for mounting one to write takes as long as the disk's sync when it is unmounted: what the layers have is looked
// at once, and what is missing is the same for every snapshot over them.
import { lstatSync, mkdirSync } from "node:fs"
import { join } from "node:path"
import { DhowError, errnoName } from "../lib/errors.ts"
import { getXattr, listXattrs } from "../lib/syscalls/read-tree.ts"
import { setMode, setOwner, setTimes, setXattr } from "../lib/syscalls/tree.ts"
import { chainIdOf, type Digest } from "../oci/digest.ts"
import type { Snapshotter } from "./contract.ts"
import type { MountPlace } from "./mount-places.ts"

type Directory = {
  /** From the root on, every symbolic link followed. */
  readonly path: string
  readonly mode: number
  readonly uid: number
  readonly gid: number
  /** Absent where it is new. */
  readonly times?: { readonly seconds: number; readonly nanoseconds: number }
  readonly xattrs: readonly (readonly [string, Buffer])[]
}

/** Answers that are remembered; each is a few hundred bytes. */
const MOST_KNOWN = 500
/** Overlay's own, which say what a layer hides. */
const OVERLAY_XATTR = /^(?:trusted|user)\.overlay\./

export class FreshDirectories {
  readonly #snapshotter: Pick<Snapshotter, "paths">
  readonly #view: (layers: readonly Digest[]) => MountPlace
  readonly #known = new Map<string, readonly Directory[]>()

  constructor(snapshotter: Pick<Snapshotter, "paths">, view: (layers: readonly Digest[]) => MountPlace) {
    this.#snapshotter = snapshotter
    this.#view = view
  }

  /** Makes `path` with all above it in the snapshot `key`, to which nobody has written yet. */
  async make(key: string, layers: readonly Digest[], path: string): Promise<void> {
    const missing = await this.#missing(layers, path)
    if (missing.length === 0) return
    const { upper } = this.#snapshotter.paths(key)
    for (const one of missing) {
      const place = join(upper, one.path)
      mkdirSync(place)
      setOwner(place, one.uid, one.gid)
      setMode(place, one.mode)
      for (const [name, value] of one.xattrs) setXattr(place, name, value)
    }
    // The last one that was there gets a new entry, the ones above it only stand for those of the layers.
    const old = missing.filter(({ times }) => times !== undefined).slice(0, -1)
    for (const { path: name, times } of old.toReversed())
      if (times !== undefined) setTimes(join(upper, name), times.seconds, times.nanoseconds)
  }

  /** The directories to be written, outermost first: those that are missing, and the layers' own that they lie in. */
  async #missing(layers: readonly Digest[], path: string): Promise<readonly Directory[]> {
    const question = `${layers.length === 0 ? "" : chainIdOf(layers)}${path}`
    const known = this.#known.get(question)
    if (known !== undefined) return known
    const found = await this.#look(layers, path)
    if (this.#known.size >= MOST_KNOWN) this.#known.clear()
    this.#known.set(question, found)
    return found
  }

  async #look(layers: readonly Digest[], path: string): Promise<readonly Directory[]> {
    const { Root } = await import("./copy/root.ts")
    using mounted = this.#view(layers)
    const real = Root.at(mounted.path).realPath(path)
    const parts = real.split("/").filter((part) => part !== "")
    const found: Directory[] = []
    let isMissing = false
    for (const [index] of parts.entries()) {
      const name = parts.slice(0, index + 1).join("/")
      const one: Omit<Directory, "path"> | undefined = isMissing ? undefined : existing(join(mounted.path, name), path)
      isMissing ||= one === undefined
      found.push({ path: name, ...(one ?? { mode: 0o755, uid: 0, gid: 0, xattrs: [] }) })
    }
    return isMissing ? found : []
  }
}

function existing(place: string, asked: string): Omit<Directory, "path"> | undefined {
  try {
    const stat = lstatSync(place, { bigint: true })
    if (!stat.isDirectory()) throw new DhowError("internal", `Cannot mkdir: ${asked} is not a directory`)
    const path = Buffer.from(place)
    const xattrs = listXattrs(path)
      .filter((name) => !OVERLAY_XATTR.test(name))
      .flatMap((name) => {
        const value = getXattr(path, name)
        return value === undefined ? [] : [[name, value] as const]
      })
    const [uid, gid] = [Number(stat.uid), Number(stat.gid)]
    const times = { seconds: Number(stat.mtimeNs / 1_000_000_000n), nanoseconds: Number(stat.mtimeNs % 1_000_000_000n) }
    return { mode: Number(stat.mode) & 0o7777, uid, gid, times, xattrs }
  } catch (error) {
    if (errnoName(error) === "ENOENT") return undefined
    throw error
  }
}
