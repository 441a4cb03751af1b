// Values as lines of JSON on a descriptor, some thousand lines with one call: for a process that does nothing else.
import { writeSync } from "node:fs"
import { errnoName } from "../lib/errors.ts"

const LIMIT = 256 * 1024

export class LineOutput {
  readonly #fd: number
  #text = ""

  constructor(fd: number) {
    this.#fd = fd
  }

  write(value: unknown): void {
    this.#text += `${JSON.stringify(value)}\n`
    if (this.#text.length >= LIMIT) this.end()
  }

  end(): void {
    const bytes = Buffer.from(this.#text)
    this.#text = ""
    for (let at = 0; at < bytes.length; ) {
      try {
        at += writeSync(this.#fd, bytes, at)
      } catch (error) {
        // Whoever made the pipe may have made it non-blocking.
        if (errnoName(error) !== "EAGAIN") throw error
        Bun.sleepSync(1)
      }
    }
  }
}
