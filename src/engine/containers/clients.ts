// The clients attached to one container: they may come before it starts, are joined to its streams when it does, and
// leave when it ends. A slow client slows the container down; one that went away does not.
import { copyOf } from "../../lib/bytes.ts"
import { describeError } from "../../lib/errors.ts"
import { log } from "../../lib/log.ts"
import type { StreamListener, Streams } from "../../supervisor/contract.ts"
import type { InputTarget, OutputSink, StdStream } from "../contract.ts"

type Client = {
  readonly wants: (stream: StdStream) => boolean
  readonly sink: OutputSink
  leave?: () => void
  /** It still has output coming: `end` waits for the last byte. */
  isReading: boolean
  isEnding: boolean
}

const INPUT_LIMIT = 1024 * 1024

export class Clients {
  readonly #clients = new Set<Client>()
  #streams: Streams | undefined
  /** Input that came before the process; it goes in first. */
  #early: Uint8Array[] = []
  #earlyBytes = 0
  #earlyEnd = false
  #joined = Promise.withResolvers<void>()
  /** Counts the ends: what a client of an earlier run still sends, or its leaving, is nothing to the next one. */
  #run = 0

  /** Whether streams are worth connecting before the process starts. */
  get waiting(): boolean {
    return this.#clients.size > 0 || this.#early.length > 0 || this.#earlyEnd
  }

  get connected(): boolean {
    return this.#streams !== undefined
  }

  /** Returns the function that takes the client away again. */
  add(sink: OutputSink, wants: (stream: StdStream) => boolean): () => void {
    const client: Client = { sink, wants, isReading: false, isEnding: false }
    this.#clients.add(client)
    if (this.#streams !== undefined) this.#join(client, this.#streams)
    return () => {
      this.#clients.delete(client)
      client.isEnding = false
      client.leave?.()
    }
  }

  /** Joins everybody to the process's streams. */
  join(streams: Streams): void {
    if (this.#streams !== undefined) return
    this.#streams = streams
    for (const client of this.#clients) this.#join(client, streams)
    for (const chunk of this.#early.splice(0)) streams.write(chunk)
    this.#earlyBytes = 0
    if (this.#earlyEnd) streams.endInput()
    this.#earlyEnd = false
    this.#joined.resolve()
  }

  /**
   * The process ended and that is recorded, or it could not be started: everybody is told once the last byte was
   * delivered, and the next run begins with nobody. Whoever sees the end of the output can therefore ask for the status.
   */
  end(): void {
    this.#run++
    this.#streams = undefined
    this.#early = []
    this.#earlyBytes = 0
    this.#earlyEnd = false
    this.#joined.resolve()
    this.#joined = Promise.withResolvers()
    for (const client of this.#clients) {
      client.isEnding = true
      if (!client.isReading) endSink(client.sink)
    }
    this.#clients.clear()
  }

  /** Where a client's input goes; `closes` tells whether its end is the process's end of file. */
  input(closes: boolean): InputTarget {
    const run = this.#run
    return {
      write: (chunk) => {
        if (run !== this.#run) return true
        if (this.#streams !== undefined) return this.#streams.write(chunk)
        this.#early.push(copyOf(chunk))
        this.#earlyBytes += chunk.length
        return this.#earlyBytes < INPUT_LIMIT
      },
      drained: async () => {
        if (run !== this.#run) return
        if (this.#streams === undefined) await this.#joined.promise
        await this.#streams?.inputDrained()
      },
      end: () => {
        if (!closes || run !== this.#run) return
        if (this.#streams !== undefined) this.#streams.endInput()
        else this.#earlyEnd = true
      },
    }
  }

  #join(client: Client, streams: Streams): void {
    const listener: StreamListener = {
      data: (stream, chunk) => !client.wants(stream) || client.sink.write(stream, chunk),
      drained: () => client.sink.drained(),
      end: () => {
        client.isReading = false
        if (client.isEnding) endSink(client.sink)
      },
    }
    client.isReading = true
    client.leave = streams.listen(listener)
  }
}

/** A client's trouble is its own: the end of a container goes on. */
function endSink(sink: OutputSink): void {
  try {
    sink.end()
  } catch (error) {
    log.warn("An attached client could not be told of the end", { error: describeError(error) })
  }
}
