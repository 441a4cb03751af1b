// The mount namespace of a running container. Whoever runs in there may change its files at any instant: every path is
// resolved by the kernel below the container's root, and what is made or taken away is named by an open directory.
import { closeSync, constants, fstatSync, openSync, readFileSync, readlinkSync } from "node:fs"
import { posix } from "node:path"
import { DhowError, errnoName } from "../../lib/errors.ts"
import { type MountEntry, parseMountinfo } from "../../lib/mountinfo.ts"
import {
  detachAt,
  inMountNamespace,
  makeDirectoryAt,
  openAt,
  readLinkAt,
  removeAt,
} from "../../lib/syscalls/mount-namespace.ts"
import { attachTree } from "../../lib/syscalls/mount-tree.ts"
import { openBelow } from "../../lib/syscalls/open-in-root.ts"

const O_PATH = 0o10000000
const DIRECTORY = O_PATH | constants.O_DIRECTORY

type Made = { readonly path: string; readonly kind: "directory" | "file" }

export class ContainerNamespace {
  readonly #namespace: number
  /** Of the host, since the container's own /proc says nothing about this process. */
  readonly #proc = openSync("/proc", DIRECTORY)
  readonly #descriptors = openSync("/proc/self/fd", DIRECTORY)
  readonly #rootfs: number
  readonly #made: Made[] = []

  /** Makes sure that `pid` is a process of the container `id`, and not of one that came after it. */
  constructor({ pid, id, rootfs }: { readonly pid: number; readonly id: string; readonly rootfs: string }) {
    const gone = new DhowError("conflict", `container ${id} is not running`)
    try {
      this.#namespace = openSync(`/proc/${pid}/ns/mnt`, "r")
      if (!readFileSync(`/proc/${pid}/cgroup`, "utf8").includes(id)) throw gone
      if (readlinkSync(`/proc/${pid}/ns/mnt`) === readlinkSync("/proc/thread-self/ns/mnt")) throw gone
    } catch (error) {
      throw errnoName(error) === "ENOENT" || errnoName(error) === "ESRCH" ? gone : error
    }
    this.#rootfs = openSync(rootfs, DIRECTORY)
  }

  /** Where a destination really is, and what lies there. */
  look(destination: string): { readonly path: string; readonly depth: number; readonly missing?: string } {
    return this.#inside((root) => {
      const path = this.#realPath(root, destination)
      if (path === undefined) {
        const { rest, parent } = this.#deepest(root, destination)
        return { path: destination, depth: 0, missing: posix.join(parent, rest[0] ?? "") }
      }
      return { path, depth: this.#mountsAt(path).length }
    })
  }

  /** Ids of the mount that is seen at a path and of all below it. */
  mountIds(path: string): ReadonlySet<number> {
    return this.#inside(() => {
      const entries = this.#mountinfo()
      const top = entries.findLast((entry) => entry.path === path)
      const ids = new Set(top === undefined ? [] : [top.id])
      for (let size = -1; size !== ids.size; ) {
        size = ids.size
        for (const { id, parent } of entries) if (ids.has(parent)) ids.add(id)
      }
      return ids
    })
  }

  /** Mounts a tree, making its place where that is missing. */
  attach(tree: number, destination: string): void {
    const isDirectory = fstatSync(tree).isDirectory()
    this.#inside((root) => {
      this.#make(root, destination, isDirectory)
      const target = openBelow(root, destination, O_PATH)
      try {
        if (fstatSync(target).isDirectory() !== isDirectory)
          throw new DhowError(
            "invalid",
            `Cannot mount a ${isDirectory ? "directory" : "file"} at "${destination}", which is a ${isDirectory ? "file" : "directory"}`,
          )
        attachTree(tree, target)
      } finally {
        closeSync(target)
      }
    })
  }

  /** Takes away the mount that is seen at a destination, with all below it. False where nothing is mounted there. */
  detach(destination: string): boolean {
    return this.#inside((root) => {
      const path = this.#realPath(root, destination)
      if (path === undefined || path === "/" || this.#mountsAt(path).length === 0) return false
      const parent = openBelow(root, posix.dirname(path), DIRECTORY)
      try {
        detachAt(parent, posix.basename(path))
        return true
      } finally {
        closeSync(parent)
      }
    })
  }

  /** Removes the places that `attach` made, where nobody has put anything there meanwhile. */
  removeMade(): void {
    this.#inside((root) => {
      for (const { path, kind } of this.#made.splice(0).reverse()) this.#remove(root, path, kind)
    })
  }

  /** The same for the place `path` and what was made below it on the way to `destination`, by a process before this one. */
  removeEmpty(path: string, destination: string): void {
    this.#inside((root) => {
      for (let at = destination; at === path || at.startsWith(`${path}/`); at = posix.dirname(at))
        if (!this.#remove(root, at, "directory") && !this.#remove(root, at, "file")) return
    })
  }

  #remove(root: number, path: string, kind: Made["kind"]): boolean {
    for (const base of [root, this.#rootfs]) {
      try {
        const parent = openBelow(base, posix.dirname(path), DIRECTORY)
        try {
          if (kind === "file") {
            const fd = openBelow(parent, posix.basename(path), O_PATH)
            const { size } = fstatSync(fd)
            closeSync(fd)
            if (size > 0) return false
          }
          removeAt(parent, posix.basename(path), kind)
          return true
        } finally {
          closeSync(parent)
        }
      } catch (error) {
        if (errnoName(error) !== "EROFS") return false
      }
    }
    return false
  }

  #inside<T>(body: (root: number) => T): T {
    return inMountNamespace(this.#namespace, () => {
      const root = openSync("/", DIRECTORY)
      try {
        return body(root)
      } finally {
        closeSync(root)
      }
    })
  }

  #realPath(root: number, path: string): string | undefined {
    let fd: number
    try {
      fd = openBelow(root, path, O_PATH)
    } catch (error) {
      if (errnoName(error) === "ENOENT") return undefined
      throw unusable(path, error)
    }
    try {
      return readLinkAt(this.#descriptors, String(fd))
    } finally {
      closeSync(fd)
    }
  }

  /** The part of a path that is there, and the names that are not. */
  #deepest(root: number, path: string): { readonly parent: string; readonly rest: readonly string[] } {
    const names = path.split("/").filter((name) => name !== "")
    for (let count = names.length; count > 0; count--) {
      const parent = `/${names.slice(0, count).join("/")}`
      if (this.#realPath(root, parent) !== undefined) return { parent, rest: names.slice(count) }
    }
    return { parent: "/", rest: names }
  }

  #make(root: number, destination: string, isDirectory: boolean): void {
    let { parent, rest } = this.#deepest(root, destination)
    for (; rest.length > 0; rest = rest.slice(1)) {
      const [name = ""] = rest
      const path = posix.join(parent, name)
      const kind = isDirectory || rest.length > 1 ? "directory" : "file"
      try {
        this.#makeOne(root, parent, { name, kind })
      } catch (error) {
        if (errnoName(error) === "EEXIST")
          throw new DhowError("invalid", `Cannot mount at "${destination}": "${path}" is a link that leads nowhere`)
        throw unusable(destination, error)
      }
      this.#made.push({ path, kind })
      parent = path
    }
  }

  /** On a read-only root as the start would: through the host's mount of the same files. */
  #makeOne(root: number, parent: string, made: { readonly name: string; readonly kind: Made["kind"] }): void {
    const directory = openBelow(root, parent, DIRECTORY)
    try {
      try {
        create(directory, made)
        return
      } catch (error) {
        if (errnoName(error) !== "EROFS") throw error
      }
      const outside = openBelow(this.#rootfs, readLinkAt(this.#descriptors, String(directory)), DIRECTORY)
      try {
        const [one, other] = [fstatSync(directory), fstatSync(outside)]
        if (one.dev !== other.dev || one.ino !== other.ino)
          throw Object.assign(new Error(`EROFS: read-only file system, '${parent}'`), { code: "EROFS" })
        create(outside, made)
      } finally {
        closeSync(outside)
      }
    } finally {
      closeSync(directory)
    }
  }

  #mountsAt(path: string): readonly MountEntry[] {
    return this.#mountinfo().filter((entry) => entry.path === path)
  }

  #mountinfo(): readonly MountEntry[] {
    const fd = openAt(this.#proc, "thread-self/mountinfo", constants.O_RDONLY)
    try {
      return parseMountinfo(readFileSync(fd, "utf8"))
    } finally {
      closeSync(fd)
    }
  }
}

function create(directory: number, { name, kind }: { readonly name: string; readonly kind: Made["kind"] }): void {
  if (kind === "directory") makeDirectoryAt(directory, name, 0o755)
  else closeSync(openAt(directory, name, constants.O_CREAT | constants.O_EXCL | constants.O_WRONLY, 0o644))
}

function unusable(path: string, cause: unknown): unknown {
  const reason = {
    ENOTDIR: "a part of it is a file",
    ELOOP: "its symbolic links lead in a circle",
    EROFS: "the file system is read-only",
    ENAMETOOLONG: "it is too long",
  }[errnoName(cause) ?? ""]
  return reason === undefined
    ? cause
    : new DhowError("invalid", `Cannot use mount point "${path}": ${reason}`, { cause })
}
