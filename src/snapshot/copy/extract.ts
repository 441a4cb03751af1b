// Unpacks an archive into a directory of a container, as Docker does: directories are merged, everything else is replaced,
// owners and times are the archive's. Each entry's directory is opened inside the container's root, whatever links the
// container plants meanwhile, and the entry itself is made in it by name.
import { closeSync, ftruncateSync, lstatSync, rmSync, writeSync } from "node:fs"
import { dirname } from "node:path"
import { DhowError, describeError, errnoName } from "../../lib/errors.ts"
import {
  createFile,
  makeDirectory,
  makeLink,
  setFileMode,
  setFileOwner,
  setFileTimes,
  setMode,
  setOwner,
  setTimes,
  setXattr,
} from "../../lib/syscalls/tree.ts"
import type { TarEntry } from "../../lib/tar/entry.ts"
import { decodeName } from "../../lib/tar/names.ts"
import { readTar, type TarStreamEntry } from "../../lib/tar/reader.ts"
import { placeOf } from "../place.ts"
import { makeSpecialFile } from "../special-file.ts"
import type { CopyInRequest, CopyMount } from "./request.ts"
import { at, type Opened, type Root } from "./root.ts"

/** What the container may not have or the host not keep. */
const NO_XATTR = new Set(["EOPNOTSUPP", "ENOTSUP", "EPERM"])

export async function extract(root: Root, request: CopyInRequest, archive: AsyncIterable<Uint8Array>): Promise<void> {
  const target = root.realPath(request.path)
  checkDirectory(root, target)
  checkWritable(target, request)
  using into = new Extraction(root, target, request)
  for await (const entry of readTar(archive)) await into.add(entry)
  into.finish()
}

function checkDirectory(root: Root, path: string): void {
  try {
    using _directory = root.directory(path)
  } catch (error) {
    if (errnoName(error) !== "ENOTDIR") throw error
    throw new DhowError("invalid", "extraction point is not a directory")
  }
}

/** In Docker's words. */
function checkWritable(path: string, { mounts, readOnlyRoot }: CopyInRequest): void {
  const isWithin = ({ destination }: CopyMount): boolean => path === destination || path.startsWith(`${destination}/`)
  const mount = mounts.findLast(isWithin)
  if (mount?.writable === false) throw new DhowError("invalid", "mounted volume is marked read-only")
  if (mount === undefined && readOnlyRoot) throw new DhowError("invalid", "container rootfs is marked read-only")
}

class Extraction implements Disposable {
  readonly #root: Root
  readonly #target: string
  readonly #request: CopyInRequest
  /** Set last: filling a directory changes its time. */
  readonly #directories = new Map<string, TarEntry>()
  /** The directory of the entry before: entries come by directory. */
  #parent: { readonly path: string; readonly opened: Opened } | undefined

  #top: TarEntry | undefined

  constructor(root: Root, target: string, request: CopyInRequest) {
    this.#root = root
    this.#target = target === "/" ? "" : target
    this.#request = request
  }

  async add(entry: TarStreamEntry): Promise<void> {
    const { path, parent, name } = placeOf(entry.path)
    // The directory that is unpacked into stays as it is, unless it is all the archive's.
    if (path === ".") {
      if (this.#request.whole === true && entry.type === "directory") this.#top = entry
      return
    }
    try {
      const place = decodeName(at(this.#open(parent), name))
      const isNew = this.#clear(place, `${this.#target}/${path}`, entry)
      await this.#make(place, entry, isNew)
      if (entry.type === "hardlink") return
      this.#attributes(place, entry)
      if (entry.type === "directory") this.#directories.set(path, entry)
    } catch (error) {
      if (error instanceof DhowError) throw error
      throw new DhowError("internal", `Cannot copy "${entry.path}": ${describeError(error)}`, { cause: error })
    }
  }

  finish(): void {
    this.#finishDirectories()
    if (this.#top !== undefined) this.#attributes(decodeName(at(this.#open("."), ".")), this.#top)
  }

  #finishDirectories(): void {
    for (const [path, { mtime, mtimeNanoseconds }] of this.#directories) {
      const { parent, name } = placeOf(path)
      try {
        setTimes(decodeName(at(this.#open(parent), name)), mtime, mtimeNanoseconds)
      } catch (error) {
        // The container has removed it already.
        if (errnoName(error) !== "ENOENT") throw error
      }
    }
  }

  [Symbol.dispose](): void {
    this.#parent?.opened[Symbol.dispose]()
    this.#parent = undefined
  }

  /** A directory below the target, made where the archive did not name it. */
  #open(path: string): number {
    if (this.#parent?.path === path) return this.#parent.opened.fd
    this[Symbol.dispose]()
    const opened = this.#openOrMake(path)
    this.#parent = { path, opened }
    return opened.fd
  }

  #openOrMake(path: string): Opened {
    const full = path === "." ? this.#target || "/" : `${this.#target}/${path}`
    try {
      return this.#root.directory(full)
    } catch (error) {
      if (errnoName(error) !== "ENOENT" || path === ".") throw error
    }
    using above = this.#openOrMake(dirname(path))
    const place = decodeName(at(above.fd, path.slice(path.lastIndexOf("/") + 1)))
    makeDirectory(place, 0o755)
    setOwner(place, this.#request.owner?.uid ?? 0, this.#request.owner?.gid ?? 0)
    return this.#root.directory(full)
  }

  /** Takes away what is in the way. False where a directory is there to be merged with. */
  #clear(place: string, path: string, { type }: TarEntry): boolean {
    const there = lstatSync(Buffer.from(place), { throwIfNoEntry: false })
    if (there === undefined) return true
    const isDirectory = type === "directory"
    if (there.isDirectory() && isDirectory) return false
    if (this.#request.keepKinds && there.isDirectory())
      throw new DhowError("invalid", `cannot overwrite directory ${JSON.stringify(path)} with non-directory "${path}"`)
    if (this.#request.keepKinds && isDirectory)
      throw new DhowError("invalid", `cannot overwrite non-directory ${JSON.stringify(path)} with directory "${path}"`)
    rmSync(place, { recursive: true })
    return true
  }

  async #make(place: string, entry: TarStreamEntry, isNew: boolean): Promise<void> {
    switch (entry.type) {
      case "directory":
        if (isNew) makeDirectory(place, entry.mode & 0o777)
        break
      case "file":
        await this.#file(place, entry)
        break
      case "hardlink":
        this.#link(place, entry.linkPath ?? "")
        break
      default:
        makeSpecialFile(place, { ...entry, type: entry.type })
    }
  }

  async #file(place: string, entry: TarStreamEntry): Promise<void> {
    const fd = createFile(place, 0o600)
    try {
      let position = 0
      for await (const chunk of entry.content) {
        // What was a hole stays one.
        if (entry.sparse === undefined || chunk.some((byte) => byte !== 0))
          for (let done = 0; done < chunk.length; )
            done += writeSync(fd, chunk, done, chunk.length - done, position + done)
        position += chunk.length
      }
      if (entry.sparse !== undefined) ftruncateSync(fd, entry.size)
      const { uid, gid } = this.#request.owner ?? entry
      setFileOwner(fd, uid, gid)
      setFileMode(fd, entry.mode)
      setFileTimes(fd, entry.mtime, entry.mtimeNanoseconds)
    } finally {
      closeSync(fd)
    }
  }

  /** The first name is below the target too. */
  #link(place: string, first: string): void {
    const { parent, name } = placeOf(first)
    using directory = this.#root.directory(parent === "." ? this.#target || "/" : `${this.#target}/${parent}`)
    makeLink(decodeName(at(directory.fd, name)), place)
  }

  #attributes(place: string, entry: TarEntry): void {
    const { uid, gid } = this.#request.owner ?? entry
    if (entry.type !== "file") setOwner(place, uid, gid)
    for (const [name, value] of entry.xattrs ?? []) {
      try {
        setXattr(place, name, value)
      } catch (error) {
        if (!NO_XATTR.has(errnoName(error) ?? "")) throw error
      }
    }
    if (entry.type === "file") return
    if (entry.type !== "symlink") setMode(place, entry.mode)
    setTimes(place, entry.mtime, entry.mtimeNanoseconds)
  }
}
