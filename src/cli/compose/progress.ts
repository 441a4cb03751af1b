// What is being done, a line for each step on standard error, in docker compose's words.
import { printError } from "../output.ts"

export type Subject = "Container" | "Network" | "Volume" | "Image"

export class Progress {
  readonly #quiet: boolean

  constructor(mode: string | undefined) {
    this.#quiet = mode === "quiet"
  }

  step(subject: Subject, name: string, word: string): void {
    this.line(`${subject} ${name}`, word)
  }

  line(subject: string, word: string): void {
    if (!this.#quiet) printError(` ${subject}  ${word}`)
  }

  warn(message: string): void {
    printError(`WARN: ${message}`)
  }

  /** Says that it begins, and that it is done. */
  async around<T>(subject: Subject, name: string, words: readonly [string, string], act: () => Promise<T>): Promise<T> {
    this.step(subject, name, words[0])
    try {
      const result = await act()
      this.step(subject, name, words[1])
      return result
    } catch (error) {
      this.step(subject, name, "Error")
      throw error
    }
  }
}
