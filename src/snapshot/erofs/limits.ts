// What a layer may ask of memory while its index is made: far above what real layers have, low enough to be refused
// before the machine suffers.
import { DhowError } from "../../lib/errors.ts"
import type { TarEntry } from "../../lib/tar/entry.ts"

const MAX_FILES = 2_000_000
const MAX_TEXT = 512 * 1024 * 1024
const MAX_STRETCHES = 8_000_000

export class Limits {
  #files = 0
  #text = 0
  #stretches = 0

  count(entry: TarEntry): void {
    this.#text += entry.path.length + (entry.linkPath?.length ?? 0)
    this.#stretches += entry.sparse?.length ?? 0
    for (const [name, value] of entry.xattrs ?? []) this.#text += name.length + value.length
    this.#countFile()
    if (this.#text > MAX_TEXT) throw tooLarge(`more than ${MAX_TEXT} bytes of names and attributes`)
    if (this.#stretches > MAX_STRETCHES) throw tooLarge(`sparse files of more than ${MAX_STRETCHES} stretches`)
  }

  /** A directory that no entry describes. */
  countDirectory(name: string): void {
    this.#text += name.length
    this.#countFile()
  }

  #countFile(): void {
    if (++this.#files > MAX_FILES) throw tooLarge(`more than ${MAX_FILES} files`)
  }
}

function tooLarge(what: string): DhowError {
  return new DhowError("invalid", `The layer has ${what}`)
}
