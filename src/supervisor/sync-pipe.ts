// The socket pair between the engine and one conmon: conmon's sync, attach and start pipe in one. conmon writes one JSON
// line per step, `{"data": N}` with a `message` when the runtime failed; it reads "go" bytes from its start pipe.
export type SyncMessage = { readonly data: number; readonly message: string | undefined }

const LINE_LIMIT = 64 * 1024

export class SyncPipe {
  readonly #lines: SyncMessage[] = []
  readonly #waiting: ((message: SyncMessage | undefined) => void)[] = []
  #partial = ""
  #ended = false
  #socket: Bun.Socket | undefined

  /** Takes the descriptor over. */
  static async open(fd: number): Promise<SyncPipe> {
    const pipe = new SyncPipe()
    const decoder = new TextDecoder()
    const options = {
      fd,
      socket: {
        data: (_socket: Bun.Socket, chunk: Uint8Array) => pipe.#take(decoder.decode(chunk, { stream: true })),
        end: () => pipe.#finish(),
        error: () => pipe.#finish(),
        close: () => pipe.#finish(),
      },
    }
    pipe.#socket = await Bun.connect(options as unknown as Bun.UnixSocketOptions<undefined>)
    return pipe
  }

  /** The next message, or undefined when conmon has closed its side. */
  next(): Promise<SyncMessage | undefined> {
    const message = this.#lines.shift()
    if (message !== undefined || this.#ended) return Promise.resolve(message)
    return new Promise((resolve) => this.#waiting.push(resolve))
  }

  /** Lets a conmon that waits on its start pipe go on. */
  go(): void {
    this.#socket?.write("\n")
  }

  close(): void {
    this.#socket?.terminate()
    this.#finish()
  }

  #take(text: string): void {
    this.#partial += text
    for (let end = this.#partial.indexOf("\n"); end >= 0; end = this.#partial.indexOf("\n")) {
      this.#give(parseSyncMessage(this.#partial.slice(0, end)))
      this.#partial = this.#partial.slice(end + 1)
    }
    if (this.#partial.length > LINE_LIMIT) this.close()
  }

  #give(message: SyncMessage): void {
    const waiting = this.#waiting.shift()
    if (waiting === undefined) this.#lines.push(message)
    else waiting(message)
  }

  #finish(): void {
    this.#ended = true
    for (const waiting of this.#waiting.splice(0)) waiting(undefined)
  }
}

/** conmon escapes most control characters but not all, so what is left of them is dropped before parsing. */
export function parseSyncMessage(line: string): SyncMessage {
  try {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: removing exactly these is the purpose
    const { data, message } = JSON.parse(line.replace(/[\u0000-\u001f]/g, "")) as { data?: unknown; message?: unknown }
    return { data: Number(data), message: typeof message === "string" ? message : undefined }
  } catch {
    return { data: Number.NaN, message: line }
  }
}
