// A client of the stack, through its published port, with a new connection for each request; and a load that remembers
// what it was promised.
export type Reply = { readonly status: number; readonly body: unknown }

const PATIENCE_MS = 5_000

export class StackClient {
  readonly #origin: string

  constructor(origin: string) {
    this.#origin = origin
  }

  /** Rejects when there is no answer. */
  async ask(method: "GET" | "POST", path: string, body?: string): Promise<Reply> {
    const response = await fetch(`${this.#origin}${path}`, {
      method,
      ...(body === undefined ? {} : { body }),
      headers: { connection: "close" },
      signal: AbortSignal.timeout(PATIENCE_MS),
    })
    const text = await response.text()
    try {
      return { status: response.status, body: JSON.parse(text) as unknown }
    } catch {
      return { status: response.status, body: text }
    }
  }

  /** Id of the note, which is in the database from now on. */
  async note(text: string): Promise<number> {
    const { status, body } = await this.ask("POST", "/notes", text)
    const { id } = (body ?? {}) as { readonly id?: number }
    if (status !== 201 || id === undefined) throw new Error(`POST /notes: ${status} ${JSON.stringify(body)}`)
    return id
  }

  async notes(): Promise<readonly number[]> {
    const { status, body } = await this.ask("GET", "/notes")
    if (status !== 200) throw new Error(`GET /notes: ${status} ${JSON.stringify(body)}`)
    return body as number[]
  }

  async visit(): Promise<{ readonly host: string; readonly visits: number }> {
    const { status, body } = await this.ask("GET", "/visit")
    if (status !== 200) throw new Error(`GET /visit: ${status} ${JSON.stringify(body)}`)
    return body as { host: string; visits: number }
  }
}

/** Requests one after the other until it is ended. */
export class Load {
  readonly kept: number[] = []
  readonly failures: string[] = []
  #isOver = false
  readonly #working: Promise<void>

  constructor(client: StackClient) {
    this.#working = this.#work(client)
  }

  async #work(client: StackClient): Promise<void> {
    while (!this.#isOver) {
      try {
        this.kept.push(await client.note("under load"))
        await client.visit()
      } catch (error) {
        this.failures.push(String(error))
      }
      await Bun.sleep(20)
    }
  }

  async end(): Promise<void> {
    this.#isOver = true
    await this.#working
  }
}
