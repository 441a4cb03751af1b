// Deletion of trees: a rename takes the tree out of sight at once, the files go later. What a crash leaves in the trash
// goes at the next sweep.
import { mkdirSync, readdirSync, renameSync } from "node:fs"
import { rm } from "node:fs/promises"
import { join } from "node:path"
import { errnoName } from "../lib/errors.ts"
import { log } from "../lib/log.ts"

export class Trash {
  readonly #directory: string
  #serial = 0

  constructor(directory: string) {
    this.#directory = directory
    mkdirSync(directory, { recursive: true, mode: 0o700 })
  }

  /** Takes the tree away from `path`; fine when there is none. Resolves when the files are gone. */
  async discard(path: string): Promise<void> {
    const hidden = join(this.#directory, `${process.pid}-${Date.now()}-${this.#serial++}`)
    try {
      renameSync(path, hidden)
    } catch (error) {
      if (errnoName(error) === "ENOENT") return
      throw error
    }
    await this.#delete(hidden)
  }

  /** Deletes what earlier runs left, behind the caller's back. */
  empty(): readonly string[] {
    const left = readdirSync(this.#directory).map((name) => join(this.#directory, name))
    for (const path of left) void this.#delete(path)
    return left
  }

  async #delete(path: string): Promise<void> {
    try {
      await rm(path, { recursive: true, force: true })
    } catch (error) {
      log.warn("Cannot delete a directory; the next sweep tries again", { path, error: String(error) })
    }
  }
}
