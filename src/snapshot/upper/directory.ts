// A directory held open while it is read: names below it are looked up in the one that was opened, whatever a running
// container makes of the path meanwhile, and no symbolic link is ever followed.
import { type BigIntStats, closeSync, constants, lstatSync, openSync, readdirSync, readlinkSync } from "node:fs"
import { errnoName } from "../../lib/errors.ts"
import { decodeName } from "../../lib/tar/names.ts"

const SLASH = Buffer.from("/")
const O_NOATIME = 0o1000000

export class Directory implements Disposable {
  readonly #fd: number
  /** Of the directory itself, for calls that take a path. */
  readonly path: Buffer

  private constructor(fd: number) {
    this.#fd = fd
    this.path = Buffer.from(`/proc/self/fd/${fd}/.`)
  }

  static open(path: string | Buffer): Directory {
    return new Directory(openSync(path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW))
  }

  /** Undefined where it is gone, or is no directory any more. */
  child(name: Buffer): Directory | undefined {
    return unlessGone(() => Directory.open(this.at(name)))
  }

  /** Names in it, in the order of their bytes. */
  names(): Buffer[] {
    return readdirSync(`/proc/self/fd/${this.#fd}`, { encoding: "buffer" }).sort(Buffer.compare)
  }

  at(name: Buffer): Buffer {
    return Buffer.concat([Buffer.from(`/proc/self/fd/${this.#fd}`), SLASH, name])
  }

  stat(name: Buffer): BigIntStats | undefined {
    return unlessGone(() => lstatSync(this.at(name), { bigint: true }))
  }

  link(name: Buffer): string | undefined {
    const target = unlessGone(() => readlinkSync(this.at(name), { encoding: "buffer" }))
    return target === undefined ? undefined : decodeName(target)
  }

  /** A descriptor of a regular file, which the caller closes. */
  file(name: Buffer): number | undefined {
    const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK
    return unlessGone(() => openQuietly(this.at(name), flags))
  }

  [Symbol.dispose](): void {
    closeSync(this.#fd)
  }
}

/** Reading leaves no trace where the file is ours to say so. */
function openQuietly(path: Buffer, flags: number): number {
  try {
    return openSync(path, flags | O_NOATIME)
  } catch (error) {
    if (errnoName(error) !== "EPERM") throw error
    return openSync(path, flags)
  }
}

/** A running container removes and replaces files while they are read. */
function unlessGone<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch (error) {
    const code = errnoName(error)
    if (code === "ENOENT" || code === "ENOTDIR" || code === "ELOOP" || code === "EINVAL") return undefined
    throw error
  }
}
