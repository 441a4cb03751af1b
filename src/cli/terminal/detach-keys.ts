// The key sequence that leaves a container running: "ctrl-p,ctrl-q" or another given as letters and ctrl-letters.
import { DhowError } from "../../lib/errors.ts"

const DEFAULT = [16, 17]

export function parseDetachKeys(text: string | undefined): readonly number[] {
  if (text === undefined || text === "") return DEFAULT
  return text.split(",").map((key) => {
    if (key.length === 1) return key.charCodeAt(0)
    const control = /^ctrl-([a-zA-Z@[\\\]^_])$/.exec(key)
    if (control === null) throw new DhowError("invalid", `Invalid detach keys (${text}): unknown character '${key}'`)
    return control[1]!.toUpperCase().charCodeAt(0) - 64
  })
}

/**
 * Looks for the sequence in what is typed. Keys that may begin it are held back until the next key decides; they are
 * passed on when it does not follow.
 */
export class DetachWatcher {
  readonly #keys: readonly number[]
  #matched = 0

  constructor(keys: readonly number[]) {
    this.#keys = keys
  }

  /** What goes on to the container, and whether the sequence is complete. */
  push(chunk: Uint8Array): { readonly pass: Uint8Array; readonly detached: boolean } {
    const pass: number[] = []
    for (const byte of chunk) {
      if (byte !== this.#keys[this.#matched]) {
        pass.push(...this.#keys.slice(0, this.#matched))
        this.#matched = 0
      }
      if (byte === this.#keys[this.#matched]) {
        this.#matched++
        if (this.#matched === this.#keys.length) return { pass: Uint8Array.from(pass), detached: true }
      } else pass.push(byte)
    }
    return { pass: Uint8Array.from(pass), detached: false }
  }
}
