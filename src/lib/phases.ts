// Where the time of one operation went: milliseconds from each mark to the next, in order.

export class Phases {
  #last = performance.now()
  readonly #took: Record<string, number> = {}

  /** What went on since the last mark was this. */
  mark(name: string): void {
    const now = performance.now()
    this.#took[name] = Math.round((now - this.#last) * 100) / 100
    this.#last = now
  }

  get took(): Readonly<Record<string, number>> {
    return this.#took
  }
}
