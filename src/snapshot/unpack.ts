// Unpacks one layer into the current root directory, which must be a fresh private one that the process has chrooted to:
// so whatever an entry's name or a symbolic link says, the kernel resolves it inside the layer. Whiteouts of the OCI
// image specification become overlayfs's own.
import { constants, ftruncateSync, lstatSync, rmSync, writeSync } from "node:fs"
import { DhowError, errnoName } from "../lib/errors.ts"
import {
  closeFile,
  createFile,
  makeDirectory,
  makeLink,
  makeNode,
  removeFile,
  setFileMode,
  setFileOwner,
  setFileTimes,
  setMode,
  setOwner,
  setTimes,
  setXattr,
} from "../lib/syscalls/tree.ts"
import type { TarEntry } from "../lib/tar/entry.ts"
import type { TarFile } from "../lib/tar/file-reader.ts"
import { encodeName } from "../lib/tar/names.ts"
import type { MadeLayer } from "./layer-form.ts"
import { placeOf, type WhiteoutPrefix, whiteoutOf } from "./place.ts"
import { makeSpecialFile } from "./special-file.ts"

const SPECIAL = 0o7000
const SETGID = 0o2000
const CHUNK = 1 << 20
const ROOT = "."

type DirectoryTimes = { readonly mode: number; readonly seconds: number; readonly nanoseconds: number }

export function unpackLayer(archive: TarFile, prefix: WhiteoutPrefix): MadeLayer {
  const layer = new Layer(archive, prefix)
  for (let entry = archive.next(); entry !== undefined; entry = archive.next()) {
    try {
      layer.add(entry)
    } catch (error) {
      throw describe(error, entry)
    }
  }
  return layer.finish()
}

class Layer {
  readonly #archive: TarFile
  readonly #prefix: WhiteoutPrefix
  /** Directories that are known to be there. */
  readonly #made = new Set<string>([ROOT])
  /** Set last, since filling a directory changes its time and a setgid bit would be inherited by what is made in it. */
  readonly #directories = new Map<string, DirectoryTimes>()
  readonly #whiteouts = new Set<string>()
  #size = 0
  #files = 0
  #rooted = false

  constructor(archive: TarFile, prefix: WhiteoutPrefix) {
    this.#archive = archive
    this.#prefix = prefix
  }

  add(entry: TarEntry): void {
    const { path, parent, name } = placeOf(entry.path)
    const whiteout = whiteoutOf(name)
    if (whiteout !== undefined && whiteout.kind === "ignored") return
    this.#ensure(parent)
    this.#files++
    if (whiteout?.kind === "opaque") this.#opaque(parent)
    else if (whiteout !== undefined) this.#whiteOut(parent === ROOT ? whiteout.name : `${parent}/${whiteout.name}`)
    else if (entry.type === "directory") this.#directory(path, entry)
    else if (path === ROOT) throw new DhowError("invalid", "Its root is not a directory")
    else this.#place(path, entry)
  }

  finish(): MadeLayer {
    for (const [path, { mode, seconds, nanoseconds }] of this.#directories) {
      if (mode & SETGID) setMode(path, mode)
      setTimes(path, seconds, nanoseconds)
    }
    return { size: this.#size, files: this.#files, rooted: this.#rooted }
  }

  #directory(path: string, entry: TarEntry): void {
    if (path === ROOT) this.#rooted = true
    else if (!this.#made.has(path)) this.#make(path, entry.mode & 0o777)
    setOwner(path, entry.uid, entry.gid)
    setMode(path, entry.mode & ~SETGID)
    this.#xattrs(path, entry)
    this.#directories.set(path, { mode: entry.mode, seconds: entry.mtime, nanoseconds: entry.mtimeNanoseconds })
  }

  /** Everything that is not a directory, in place of what an earlier entry of the same name made. */
  #place(path: string, entry: TarEntry): void {
    try {
      this.#create(path, entry)
    } catch (error) {
      if (this.#isForbidden(error, entry)) return
      if (errnoName(error) !== "EEXIST") throw error
      this.#discard(path)
      this.#place(path, entry)
      return
    }
    if (entry.type === "hardlink") return
    this.#xattrs(path, entry)
    if (entry.type === "file") return
    if (entry.uid !== 0 || entry.gid !== 0) setOwner(path, entry.uid, entry.gid)
    if (entry.type !== "symlink") setMode(path, entry.mode)
    setTimes(path, entry.mtime, entry.mtimeNanoseconds)
  }

  /** A user namespace may not make devices: a layer is without them there, as with other engines. */
  #isForbidden(error: unknown, { type }: TarEntry): boolean {
    const isDevice = type === "character-device" || type === "block-device"
    return isDevice && errnoName(error) === "EPERM" && this.#prefix === "user.overlay."
  }

  #create(path: string, entry: TarEntry): void {
    switch (entry.type) {
      case "file":
        this.#file(path, entry)
        break
      case "hardlink":
        makeLink(placeOf(entry.linkPath ?? "").path, path)
        break
      case "directory":
        break
      default:
        makeSpecialFile(path, { ...entry, type: entry.type })
    }
  }

  #file(path: string, entry: TarEntry): void {
    const fd = createFile(path, entry.mode & 0o777)
    try {
      if (entry.sparse === undefined) this.#copy(fd, 0, entry.size)
      else {
        for (const { offset, length } of entry.sparse) this.#copy(fd, offset, length)
        ftruncateSync(fd, entry.size)
      }
      if (entry.uid !== 0 || entry.gid !== 0) setFileOwner(fd, entry.uid, entry.gid)
      if (entry.mode & SPECIAL) setFileMode(fd, entry.mode)
      setFileTimes(fd, entry.mtime, entry.mtimeNanoseconds)
    } finally {
      closeFile(fd)
    }
    this.#size += entry.size
  }

  #copy(fd: number, offset: number, length: number): void {
    for (let at = offset; at < offset + length; ) {
      const bytes = this.#archive.some(Math.min(CHUNK, offset + length - at))
      for (let done = 0; done < bytes.length; ) done += writeSync(fd, bytes, done, bytes.length - done, at + done)
      at += bytes.length
    }
  }

  #xattrs(path: string, entry: TarEntry): void {
    for (const [name, value] of entry.xattrs ?? []) {
      // These steer overlayfs itself: a layer that sets them would speak to the kernel, not to the container.
      if (name.startsWith("trusted.overlay.") || name.startsWith("user.overlay.")) continue
      try {
        setXattr(path, name, value)
      } catch (error) {
        const code = errnoName(error)
        if (code !== "EOPNOTSUPP" && code !== "ENOTSUP" && code !== "EPERM") throw error
      }
    }
  }

  #whiteOut(path: string): void {
    try {
      makeNode(path, constants.S_IFCHR)
      this.#whiteouts.add(path)
    } catch (error) {
      // What this layer itself has at the path stays; a directory must hide what lies below it.
      if (errnoName(error) !== "EEXIST") throw error
      if (this.#made.has(path)) this.#opaque(path)
    }
  }

  #opaque(path: string): void {
    setXattr(path, `${this.#prefix}opaque`, Buffer.from("y"))
  }

  #ensure(path: string): void {
    if (this.#made.has(path)) return
    for (let slash = path.indexOf("/"); slash >= 0; slash = path.indexOf("/", slash + 1))
      this.#ensureOne(path.slice(0, slash))
    this.#ensureOne(path)
  }

  #ensureOne(path: string): void {
    if (this.#made.has(path)) return
    const there = lstatSync(encodeName(path), { throwIfNoEntry: false })
    // A symbolic link is left to the kernel, whose root is the layer.
    if (there === undefined || this.#whiteouts.has(path)) this.#make(path, 0o755)
    else if (there.isDirectory()) this.#made.add(path)
  }

  #make(path: string, mode: number): void {
    try {
      makeDirectory(path, mode)
    } catch (error) {
      if (errnoName(error) !== "EEXIST") throw error
      if (!lstatSync(encodeName(path)).isDirectory()) {
        const hidden = this.#whiteouts.has(path)
        this.#discard(path)
        makeDirectory(path, mode)
        if (hidden) this.#opaque(path)
      }
    }
    this.#made.add(path)
  }

  #discard(path: string): void {
    this.#whiteouts.delete(path)
    if (!lstatSync(encodeName(path)).isDirectory()) {
      removeFile(path)
      return
    }
    rmSync(encodeName(path), { recursive: true })
    for (const known of [...this.#made, ...this.#directories.keys()]) {
      if (known !== path && !known.startsWith(`${path}/`)) continue
      this.#made.delete(known)
      this.#directories.delete(known)
    }
  }
}

/** An error of the kernel about what a stranger wrote is that stranger's mistake, unless it is about this machine. */
function describe(error: unknown, entry: TarEntry): DhowError {
  const code = errnoName(error)
  if (error instanceof DhowError)
    return new DhowError(error.kind, `Cannot unpack "${entry.path}": ${error.message}`, { cause: error.cause })
  const ours = code === undefined || ["ENOSPC", "EDQUOT", "EIO", "EMFILE", "ENFILE", "ENOMEM", "EROFS"].includes(code)
  return new DhowError(ours ? "internal" : "invalid", `Cannot unpack "${entry.path}"`, {
    cause: error,
    ...(code === "ENOSPC" || code === "EDQUOT" ? { hint: "The disk is full" } : {}),
  })
}
