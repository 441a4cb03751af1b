// The logs of several containers as one, in the order of time. A source's next block is asked for when its last one is
// used up, so that what is held of each is bounded; while following, what comes is told as it comes.
import { timeText } from "../../supervisor/logs/line.ts"
import { beginning } from "../../supervisor/logs/read.ts"
import { walkLog } from "../../supervisor/logs/walk.ts"
import { type LogMessage, MessageAssembler } from "./messages.ts"

export type LogSource = {
  readonly path: string
  /** Settles when no more will be written; undefined to stop at the present end. */
  readonly follow: Promise<unknown> | undefined
}

export type MergeOptions = {
  readonly tail?: number | undefined
  readonly since?: number | undefined
  readonly until?: number | undefined
  readonly signal: AbortSignal
}

/** False asks to await `drained`. */
export type MergeSink = {
  write(source: number, message: LogMessage): boolean
  drained(): Promise<void>
}

export async function mergeLogs(sources: readonly LogSource[], options: MergeOptions, sink: MergeSink): Promise<void> {
  const stop = new AbortController()
  const signal = AbortSignal.any([options.signal, stop.signal])
  let wake: () => void = () => {}
  const inputs = sources.map((source) => new Input(source, { ...options, signal }, () => wake()))
  try {
    while (!signal.aborted) {
      const changed = new Promise<void>((resolve) => {
        wake = resolve
      })
      if (inputs.some((input) => input.isReading)) {
        await changed
        continue
      }
      let earliest: number | undefined
      for (const [index, { head }] of inputs.entries())
        if (head !== undefined && (earliest === undefined || head.time < inputs[earliest]!.head!.time)) earliest = index
      if (earliest === undefined) {
        if (inputs.every(({ isDone }) => isDone)) break
        await changed
        continue
      }
      const message = inputs[earliest]!.head!
      const isTaken = sink.write(earliest, message)
      inputs[earliest]!.advance()
      if (!isTaken) await Promise.race([sink.drained(), aborted(signal)])
    }
    for (const { failure } of inputs) if (failure !== undefined) throw failure
  } finally {
    stop.abort()
    for (const input of inputs) input.release()
  }
}

/** One log: the messages of its last block, and whether more are on the way. */
class Input {
  isReading = true
  isDone = false
  failure: unknown
  #messages: readonly LogMessage[] = []
  #at = 0
  #release: () => void = () => {}
  readonly #notify: () => void

  constructor({ path, follow }: LogSource, options: MergeOptions, notify: () => void) {
    this.#notify = notify
    const { tail, since, until, signal } = options
    const assembler = new MessageAssembler()
    const first = since === undefined ? "" : timeText(since, "000")
    const last = until === undefined ? undefined : `${timeText(until, "999")}Z`
    let isPast = false
    const pick = (message: LogMessage, into: LogMessage[]): void => {
      if (last !== undefined && message.time > last) isPast = true
      else if (message.time >= first) into.push(message)
    }
    const take = async (found: readonly LogMessage[]): Promise<void> => {
      if (found.length === 0) return
      const used = new Promise<void>((resolve) => {
        this.#release = resolve
      })
      this.#messages = found
      this.#at = 0
      this.#settle()
      await used
    }
    walkLog(
      {
        path,
        follow,
        until,
        signal,
        from: (segments) => beginning(segments, { tail, since }),
      },
      {
        get done() {
          return isPast
        },
        take: async (block) => {
          const found: LogMessage[] = []
          const rest = assembler.take(block, (message) => pick(message, found))
          await take(found)
          return rest
        },
        idle: () => this.#settle(),
      },
    )
      .then(async () => {
        const found: LogMessage[] = []
        assembler.end((message) => pick(message, found))
        await take(found)
      })
      .catch((error: unknown) => {
        this.failure = error
      })
      .finally(() => {
        this.isDone = true
        this.#settle()
      })
  }

  get head(): LogMessage | undefined {
    return this.#messages[this.#at]
  }

  advance(): void {
    if (++this.#at < this.#messages.length) return
    this.#messages = []
    this.#at = 0
    this.isReading = true
    this.#release()
  }

  release(): void {
    this.#release()
  }

  #settle(): void {
    this.isReading = false
    this.#notify()
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener("abort", () => resolve(), { once: true })
  })
}
