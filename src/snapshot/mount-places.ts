// Directories under one that something is mounted on for as long as it takes. What a killed engine leaves mounted is taken
// away by the next one's sweep.
import { randomBytes } from "node:crypto"
import { mkdirSync, readdirSync, rmdirSync } from "node:fs"
import { join } from "node:path"
import { ensureDirectory } from "../lib/files.ts"
import { unmountAll } from "../lib/syscalls/mount.ts"

export type MountPlace = Disposable & { readonly path: string }

export class MountPlaces {
  readonly #directory: string

  constructor(directory: string) {
    this.#directory = directory
  }

  /** `mount` mounts something on the directory that it is given. */
  hold(mount: (path: string) => void): MountPlace {
    // Closed to other users of the host, as the layers themselves are.
    ensureDirectory(this.#directory, 0o700)
    const path = join(this.#directory, randomBytes(6).toString("hex"))
    mkdirSync(path, { mode: 0o700 })
    try {
      mount(path)
    } catch (error) {
      rmdirSync(path)
      throw error
    }
    return { path, [Symbol.dispose]: () => clear(path) }
  }

  sweep(): void {
    ensureDirectory(this.#directory, 0o700)
    for (const name of readdirSync(this.#directory)) clear(join(this.#directory, name))
  }
}

function clear(path: string): void {
  unmountAll(path)
  rmdirSync(path)
}
