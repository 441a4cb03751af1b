// Some disk space kept for bad times: a file that is given up when the disk is full, so that what frees space (removing)
// and what is owed to waiting clients (an exit) can still be written down. It is made again when there is room.
import { closeSync, openSync, renameSync, rmSync, statfsSync, statSync } from "node:fs"
import { dirname } from "node:path"
import { describeError } from "../lib/errors.ts"
import { unlinkIfExists, writeAll } from "../lib/files.ts"
import { log } from "../lib/log.ts"

const SIZE = 1 << 20
/** The reserve is only taken from a disk that can spare it. */
const PLENTY = 16 * SIZE
/** getRandomValues() gives 64 KiB at most. */
const PARTS = 16
const LOOK_AGAIN_MS = 30_000

export class Reserve {
  readonly #path: string
  #timer: NodeJS.Timeout | undefined

  constructor(path: string) {
    this.#path = path
    this.#make()
  }

  /** Gives the space up. False where it was given up before. */
  release(): boolean {
    if (statSync(this.#path, { throwIfNoEntry: false }) === undefined) return false
    log.warn("The disk is full; the reserve is used for what must be written", { reserve: this.#path })
    unlinkIfExists(this.#path)
    this.#later()
    return true
  }

  #later(): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.#make(), LOOK_AGAIN_MS)
    this.#timer.unref()
  }

  #make(): void {
    if (statSync(this.#path, { throwIfNoEntry: false }) !== undefined) return
    const { bavail, bsize } = statfsSync(dirname(this.#path))
    if (bavail * bsize < PLENTY) {
      this.#later()
      return
    }
    const temporary = `${this.#path}.new`
    try {
      // Bytes, not a hole: a hole reserves nothing. Noise, for file systems that compress.
      const fd = openSync(temporary, "w", 0o600)
      try {
        for (let part = 0; part < PARTS; part++) writeAll(fd, crypto.getRandomValues(new Uint8Array(SIZE / PARTS)))
      } finally {
        closeSync(fd)
      }
      renameSync(temporary, this.#path)
    } catch (error) {
      rmSync(temporary, { force: true })
      log.warn("No reserve of disk space can be made", { reserve: this.#path, error: describeError(error) })
      this.#later()
    }
  }
}
