// A connection after the HTTP on it is over: bytes both ways, each direction closed on its own. What arrives before the
// reader is there, or faster than it takes it, stops the socket instead of piling up.
import { describeError } from "../../lib/errors.ts"
import { log } from "../../lib/log.ts"
import type { Output } from "./output.ts"
import type { ByteSink, RawStream } from "./reply.ts"

export type Flow = { pause(): void; resume(): void }

export class HijackedStream implements RawStream {
  readonly signal: AbortSignal
  readonly #out: Output
  readonly #flow: Flow
  readonly #ended: () => void
  #pending: Uint8Array[] = []
  #sink: ByteSink | undefined
  #inputEnded = false
  #blocked = true

  constructor(out: Output, options: { signal: AbortSignal; flow: Flow; ended: () => void }) {
    this.#out = out
    this.#flow = options.flow
    this.#ended = options.ended
    this.signal = options.signal
  }

  write(chunk: Uint8Array): boolean {
    return this.#out.write(chunk)
  }

  writeFramed(frame: Uint8Array, chunk: Uint8Array): boolean {
    return this.#out.writeGathered([frame, chunk])
  }

  drained(): Promise<void> {
    return this.#out.drained()
  }

  end(): void {
    this.#out.end()
    this.#ended()
  }

  readInto(sink: ByteSink): void {
    this.#sink = sink
    this.#blocked = false
    this.#deliver()
  }

  /** Bytes from the client. */
  receive(chunk: Uint8Array): void {
    this.#pending.push(chunk)
    if (this.#blocked) this.#flow.pause()
    else this.#deliver()
  }

  /** The client has closed its side. */
  receiveEnd(): void {
    if (this.#inputEnded) return
    this.#inputEnded = true
    if (!this.#blocked) this.#deliver()
  }

  /** A reader that fails loses the connection, not the daemon. */
  #deliver(): void {
    try {
      this.#pass()
    } catch (error) {
      log.error("input of a taken-over connection failed", { error: describeError(error) })
      this.#sink = undefined
      this.end()
    }
  }

  #pass(): void {
    const sink = this.#sink
    if (sink === undefined) {
      this.#pending = []
      return
    }
    for (let chunk = this.#pending.shift(); chunk !== undefined; chunk = this.#pending.shift()) {
      if (sink.write(chunk)) continue
      this.#blocked = true
      this.#flow.pause()
      const goOn = (): void => {
        this.#blocked = false
        this.#deliver()
      }
      sink.drained().then(goOn, goOn)
      return
    }
    if (this.#inputEnded) {
      this.#sink = undefined
      sink.end()
    } else this.#flow.resume()
  }
}
