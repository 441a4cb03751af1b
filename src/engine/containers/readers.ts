// Who reads a container's files just now: a copy out of it, an export, a commit. Its row may go meanwhile and its name be
// given to another; its files stay until the last of them is through.
export class Readers {
  readonly #byId = new Map<string, { count: number; readonly gone: PromiseWithResolvers<void> }>()

  /** Its files stay until this is disposed. */
  hold(id: string): Disposable {
    const readers = this.#byId.get(id) ?? { count: 0, gone: Promise.withResolvers<void>() }
    readers.count++
    this.#byId.set(id, readers)
    let isOver = false
    return {
      [Symbol.dispose]: () => {
        if (isOver) return
        isOver = true
        if (--readers.count > 0) return
        this.#byId.delete(id)
        readers.gone.resolve()
      },
    }
  }

  has(id: string): boolean {
    return this.#byId.has(id)
  }

  /** Resolves when nobody reads them any more. */
  async gone(id: string): Promise<void> {
    for (let readers = this.#byId.get(id); readers !== undefined; readers = this.#byId.get(id))
      await readers.gone.promise
  }
}
