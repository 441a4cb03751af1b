// Copies a tree of files with everything that a file system keeps of them. Where it can share blocks it does, so that a
// copy of a large file costs nothing. Files that go while they are copied are left out; one that is written to is copied
// as it was in the moments of the reading.

import type { Pointer } from "bun:ffi"
import { type BigIntStats, closeSync, ftruncateSync, readSync, writeSync } from "node:fs"
import { errnoName } from "../../lib/errors.ts"
import { libc } from "../../lib/syscalls/libc.ts"
import { dataStretches, getXattr, listXattrs } from "../../lib/syscalls/read-tree.ts"
import {
  createFile,
  makeDirectory,
  makeLink,
  makeNode,
  makeSymlink,
  setFileMode,
  setFileOwner,
  setMode,
  setOwner,
  setTimes,
  setXattr,
} from "../../lib/syscalls/tree.ts"
import { decodeName } from "../../lib/tar/names.ts"
import { Directory } from "../upper/directory.ts"

export type TreeTotals = {
  readonly files: number
  /** Of all files. */
  readonly bytes: number
  /** Of these the bytes that were shared and not copied. */
  readonly shared: number
}

const FICLONE = 0x40049409n
const BUFFER = 1 << 20
const SAY_EVERY_MS = 200
const NANOSECONDS = 1_000_000_000n
/** What another file system may not have. */
const NO_XATTR = new Set(["EOPNOTSUPP", "ENOTSUP", "EPERM"])

/** `to` is an empty directory; it becomes what `from` is. */
export function copyTree(from: string, to: string, say: (totals: TreeTotals) => void): TreeTotals {
  const copy = new TreeCopy(to, say)
  using source = Directory.open(from)
  using target = Directory.open(to)
  const self = source.stat(Buffer.from("."))
  copy.directory(source, target, "")
  if (self !== undefined) copy.attributes(source.path, decodeName(target.path), self)
  return copy.totals
}

class TreeCopy {
  readonly #root: string
  readonly #say: (totals: TreeTotals) => void
  /** Path below the root of the first name of files that have several. */
  readonly #first = new Map<string, string>()
  readonly #buffer = Buffer.allocUnsafeSlow(BUFFER)
  #canShare = true
  #said = performance.now()
  #files = 0
  #bytes = 0
  #shared = 0

  constructor(root: string, say: (totals: TreeTotals) => void) {
    this.#root = root
    this.#say = say
  }

  get totals(): TreeTotals {
    return { files: this.#files, bytes: this.#bytes, shared: this.#shared }
  }

  directory(source: Directory, target: Directory, path: string): void {
    for (const name of source.names()) {
      const stat = source.stat(name)
      if (stat === undefined) continue
      const inside = path === "" ? decodeName(name) : `${path}/${decodeName(name)}`
      if (stat.isDirectory()) this.#enter(source, target, { name, stat, inside })
      else this.#file(source, target, { name, stat, inside })
      this.#tell()
    }
  }

  #enter(source: Directory, target: Directory, { name, stat, inside }: Entry): void {
    using below = source.child(name)
    if (below === undefined) return
    const place = decodeName(target.at(name))
    makeDirectory(place, 0o700)
    using made = target.child(name)
    if (made === undefined) return
    this.directory(below, made, inside)
    // Last: filling a directory changes its time.
    this.attributes(below.path, place, stat)
    this.#files++
  }

  #file(source: Directory, target: Directory, { name, stat, inside }: Entry): void {
    const place = decodeName(target.at(name))
    if (this.#isLinked(stat, inside, place)) {
      this.#files++
      return
    }
    if (stat.isFile()) {
      if (!this.#content(source, name, place, stat)) return
    } else if (stat.isSymbolicLink()) {
      const link = source.link(name)
      if (link === undefined) return
      makeSymlink(link, place)
    } else if (stat.isSocket()) return
    else makeNode(place, Number(stat.mode), deviceOf(stat.rdev))
    this.attributes(source.at(name), place, stat)
    this.#files++
  }

  /** Another name of a file that was copied before. */
  #isLinked({ dev, ino, nlink }: BigIntStats, inside: string, place: string): boolean {
    if (nlink === 1n) return false
    const key = `${dev}:${ino}`
    const first = this.#first.get(key)
    if (first === undefined) {
      this.#first.set(key, inside)
      return false
    }
    try {
      makeLink(`${this.#root}/${first}`, place)
      return true
    } catch (error) {
      // Deeper than a path can say, or more names than this file system gives one file: it becomes a file of its own.
      if (errnoName(error) === "ENAMETOOLONG" || errnoName(error) === "EMLINK" || errnoName(error) === "ENOENT")
        return false
      throw error
    }
  }

  #content(source: Directory, name: Buffer, place: string, stat: BigIntStats): boolean {
    const from = source.file(name)
    if (from === undefined) return false
    try {
      const to = createFile(place, 0o600)
      try {
        const size = Number(stat.size)
        if (this.#share(from, to)) this.#shared += size
        else this.#copy(from, to, size)
        this.#bytes += size
        setFileOwner(to, Number(stat.uid), Number(stat.gid))
        setFileMode(to, Number(stat.mode & 0o7777n))
      } finally {
        closeSync(to)
      }
    } finally {
      closeSync(from)
    }
    return true
  }

  #share(from: number, to: number): boolean {
    if (!this.#canShare) return false
    // Not every file of a file system that shares can be shared: one that is not is copied, and the next is asked again.
    if (libc().ioctl(to, FICLONE, from as Pointer) === 0) return true
    this.#canShare = this.#shared > 0
    return false
  }

  #copy(from: number, to: number, size: number): void {
    for (const { offset, length } of dataStretches(from, size))
      for (let done = 0; done < length; ) {
        const got = readSync(from, this.#buffer, 0, Math.min(BUFFER, length - done), offset + done)
        // It was cut off meanwhile.
        if (got === 0) break
        for (let put = 0; put < got; ) put += writeSync(to, this.#buffer, put, got - put, offset + done + put)
        done += got
        this.#tell()
      }
    ftruncateSync(to, size)
  }

  attributes(source: Buffer, place: string, stat: BigIntStats): void {
    if (!stat.isFile()) setOwner(place, Number(stat.uid), Number(stat.gid))
    if (stat.isDirectory() || !(stat.isFile() || stat.isSymbolicLink())) setMode(place, Number(stat.mode & 0o7777n))
    for (const name of listXattrs(source)) {
      const value = getXattr(source, name)
      if (value === undefined) continue
      try {
        setXattr(place, name, value)
      } catch (error) {
        if (!NO_XATTR.has(errnoName(error) ?? "")) throw error
      }
    }
    const seconds = stat.mtimeNs / NANOSECONDS - (stat.mtimeNs % NANOSECONDS < 0n ? 1n : 0n)
    setTimes(place, Number(seconds), Number(stat.mtimeNs - seconds * NANOSECONDS))
  }

  #tell(): void {
    const now = performance.now()
    if (now - this.#said < SAY_EVERY_MS) return
    this.#said = now
    this.#say(this.totals)
  }
}

type Entry = { readonly name: Buffer; readonly stat: BigIntStats; readonly inside: string }

/** glibc's gnu_dev_major(3) and gnu_dev_minor(3). */
function deviceOf(device: bigint): { readonly major: number; readonly minor: number } {
  return {
    major: Number(((device >> 8n) & 0xfffn) | ((device >> 32n) & 0xfffff000n)),
    minor: Number((device & 0xffn) | ((device >> 12n) & 0xffffff00n)),
  }
}
