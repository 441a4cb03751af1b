// Deletion of trees: a rename takes the tree out of sight at once, its files go behind the caller's back, one tree after
// the other. What a crash leaves in the trash goes at the next sweep.
import { mkdirSync, readdirSync, renameSync } from "node:fs"
import { join } from "node:path"
import { errnoName } from "../lib/errors.ts"
import { removeTree } from "../lib/files.ts"
import { log } from "../lib/log.ts"

export class Trash {
  readonly #directory: string
  readonly #queued = new Set<string>()
  #tail: Promise<void> = Promise.resolve()
  #serial = 0

  constructor(directory: string) {
    this.#directory = directory
    mkdirSync(directory, { recursive: true, mode: 0o700 })
  }

  /** Takes the tree away from `path`; fine when there is none. */
  discard(path: string): void {
    const hidden = join(this.#directory, `${process.pid}-${Date.now()}-${this.#serial++}`)
    try {
      renameSync(path, hidden)
    } catch (error) {
      if (errnoName(error) === "ENOENT") return
      throw error
    }
    this.#enqueue(hidden)
  }

  /** Deletes what earlier runs left. Returns what that is. */
  empty(): readonly string[] {
    const left = readdirSync(this.#directory).map((name) => join(this.#directory, name))
    const found = left.filter((path) => !this.#queued.has(path))
    for (const path of found) this.#enqueue(path)
    return found
  }

  /** Resolves when what is in it now is deleted. */
  settled(): Promise<void> {
    return this.#tail
  }

  #enqueue(path: string): void {
    this.#queued.add(path)
    this.#tail = this.#tail.then(async () => {
      try {
        await removeTree(path)
      } catch (error) {
        log.warn("Cannot delete a directory; the next sweep tries again", { path, error: String(error) })
      }
      this.#queued.delete(path)
    })
  }
}
