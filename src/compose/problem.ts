// What is wrong in a compose file, and where: "compose.yaml:12:5: …". Checks go on after the first one, so that a user
// sees all of them at once.
import { DhowError } from "../lib/errors.ts"
import type { Place } from "./node.ts"

const SHOWN = 10

export function placeText({ file, line, column }: Place): string {
  return `${file}:${line}:${column}`
}

export function problemAt(place: Place, message: string, hint?: string): DhowError {
  return new DhowError("invalid", `${placeText(place)}: ${message}`, hint === undefined ? {} : { hint })
}

export class Problems {
  readonly #found: DhowError[] = []

  add(place: Place, message: string, hint?: string): void {
    this.#found.push(problemAt(place, message, hint))
  }

  /** Throws the first one; the others are its hint. */
  throwIfAny(): void {
    const [first, ...others] = this.#found
    if (first === undefined) return
    const lines = others
      .slice(0, SHOWN - 1)
      .map(({ message, hint }) => (hint === undefined ? message : `${message} (${hint})`))
    if (others.length >= SHOWN) lines.push(`and ${others.length - SHOWN + 1} more`)
    const hint = [...(first.hint === undefined ? [] : [first.hint]), ...lines].join("\n")
    throw new DhowError("invalid", first.message, hint === "" ? {} : { hint })
  }
}
