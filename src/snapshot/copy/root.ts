// The file system that a copy works on: the container's own files with its volumes over them, put together in a mount
// namespace that ends with this process. Neither /proc nor /sys nor /dev are there. Whoever runs in the container may
// change anything meanwhile: every path is resolved by the kernel inside the root, and no link of /proc is followed.
import { closeSync, constants, lstatSync, mkdirSync, openSync, readlinkSync, statSync } from "node:fs"
import { errnoName } from "../../lib/errors.ts"
import { check, libc } from "../../lib/syscalls/libc.ts"
import { CLONE_NEWNS, MS, mount } from "../../lib/syscalls/mount.ts"
import { openInRoot } from "../../lib/syscalls/open-in-root.ts"
import { decodeName, encodeName } from "../../lib/tar/names.ts"
import type { CopyMount } from "./request.ts"

const O_PATH = 0o10000000
const MOST_LINKS = 255

export type Opened = Disposable & { readonly fd: number }

export class Root {
  readonly #path: string

  private constructor(path: string) {
    this.#path = path
  }

  /** What is mounted there already, for looking. */
  static at(directory: string): Root {
    return new Root(directory)
  }

  static assemble(directory: string, mounts: readonly CopyMount[]): Root {
    check(libc().unshare(CLONE_NEWNS), "unshare")
    // Nothing that is mounted from here on reaches the host.
    mount("none", "/", { flags: MS.REC | MS.PRIVATE })
    const root = new Root(directory)
    for (const one of mounts) root.#add(one)
    return root
  }

  /** A directory, all links followed; throws what the kernel says. */
  directory(path: string): Opened {
    return this.#open(path, O_PATH | constants.O_DIRECTORY)
  }

  /** The path with every symbolic link followed, the last component's too. What it names need not be there. */
  realPath(path: string): string {
    const ahead = path.split("/")
    let done: string[] = []
    for (let links = 0; ahead.length > 0; ) {
      const name = ahead.shift()!
      if (name === "" || name === ".") continue
      if (name === "..") {
        done.pop()
        continue
      }
      const target = this.#linkAt(done, name)
      if (target === undefined) {
        done.push(name)
        continue
      }
      if (++links > MOST_LINKS) throw tooManyLinks(path)
      if (target.startsWith("/")) done = []
      ahead.unshift(...target.split("/"))
    }
    return `/${done.join("/")}`
  }

  #linkAt(parent: readonly string[], name: string): string | undefined {
    try {
      using directory = this.directory(`/${parent.join("/")}`)
      const path = at(directory.fd, name)
      return lstatSync(path).isSymbolicLink() ? decodeName(readlinkSync(path, { encoding: "buffer" })) : undefined
    } catch (error) {
      const code = errnoName(error)
      if (code === "ENOENT" || code === "ENOTDIR") return undefined
      throw error
    }
  }

  #add({ source, destination, writable }: CopyMount): void {
    const isDirectory = statSync(source).isDirectory()
    using point = this.#mountPoint(destination, isDirectory)
    mount(source, `/proc/self/fd/${point.fd}`, { flags: MS.BIND | MS.REC })
    if (writable) return
    using made = this.#open(destination, O_PATH)
    mount("none", `/proc/self/fd/${made.fd}`, { flags: MS.BIND | MS.REMOUNT | MS.RDONLY })
  }

  /** Made where the container has not been started yet, as its start would. */
  #mountPoint(path: string, isDirectory: boolean): Opened {
    const parts = path.split("/").filter((part) => part !== "")
    for (const [index, name] of parts.entries()) {
      using parent = this.directory(`/${parts.slice(0, index).join("/")}`)
      make(parent.fd, name, isDirectory || index < parts.length - 1)
    }
    return this.#open(path, O_PATH)
  }

  #open(path: string, flags: number): Opened {
    const fd = openInRoot(this.#path, path, flags)
    return { fd, [Symbol.dispose]: () => closeSync(fd) }
  }
}

/** The file `name` of an open directory, as a path that only this process can use. */
export function at(directory: number, name: string): Buffer {
  return Buffer.concat([Buffer.from(`/proc/self/fd/${directory}/`), encodeName(name)])
}

function make(parent: number, name: string, isDirectory: boolean): void {
  try {
    if (isDirectory) mkdirSync(at(parent, name), 0o755)
    else closeSync(openSync(at(parent, name), constants.O_CREAT | constants.O_EXCL | constants.O_WRONLY, 0o644))
  } catch (error) {
    if (errnoName(error) !== "EEXIST") throw error
  }
}

function tooManyLinks(path: string): Error {
  return Object.assign(new Error(`ELOOP: too many links: '${path}'`), { code: "ELOOP" })
}
