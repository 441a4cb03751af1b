// All forwarders of this engine: one for each container whose driver is fed, from its start or adoption until what it
// wrote is delivered. The next run's waits for the last run's, so that lines keep their order.
import { join } from "node:path"
import { describeError } from "../../lib/errors.ts"
import { log } from "../../lib/log.ts"
import type { Forwarder } from "./forwarder.ts"
import type { LogInfo } from "./info.ts"
import { parseBool, parseRamSize } from "./values.ts"

/** What is logged, and where it lies. */
export type Fed = {
  readonly type: string
  readonly info: LogInfo
  readonly log: string
  readonly jsonLog: string
  /** The container's state directory. */
  readonly state: string
  /** Bytes of the log that are kept. */
  readonly kept: number
  /** Keeps the container from writing on, until the function returned is called. */
  readonly hold: () => Promise<() => void>
}

const RING_BYTES = 1_000_000
const FLUENTD_BUFFER = 1024 * 1024
/** As long as Docker gives a driver at a container's end. */
const LAST_LINES_MS = 10_000
/** Where the receiver has refused them already. */
const FAILING_MS = 1000

type Feeding = {
  readonly stop: AbortController
  done: Promise<void>
  /** The last run's, until that is through. */
  forwarder: Forwarder | undefined
}

export class LogForwarders {
  readonly #feeding = new Map<string, Feeding>()
  #isClosed = false

  /** Before a start: connects, and throws what the start is to fail with. */
  async prepare(fed: Fed): Promise<Forwarder> {
    const forwarder = await build(fed)
    try {
      await forwarder.open()
    } catch (error) {
      forwarder.close()
      throw error
    }
    return forwarder
  }

  /** Feeds until `ended` and all is delivered; without it, to where the log ends now. */
  feed(fed: Fed, { ended, prepared }: { readonly ended?: Promise<unknown>; readonly prepared?: Forwarder } = {}): void {
    if (this.#isClosed) return
    const { id } = fed.info
    const before = this.#feeding.get(id)
    const stop = before === undefined || before.stop.signal.aborted ? new AbortController() : before.stop
    const feeding: Feeding = { stop, forwarder: before?.forwarder, done: Promise.resolve() }
    const run = async (): Promise<void> => {
      await before?.done
      const forwarder = prepared ?? (await build(fed))
      feeding.forwarder = forwarder
      try {
        await forwarder.run(ended, stop.signal)
      } finally {
        forwarder.close()
      }
    }
    feeding.done = run()
      .catch((error: unknown) => log.error("A log cannot be forwarded", { container: id, error: describeError(error) }))
      .finally(() => {
        if (this.#feeding.get(id) === feeding) this.#feeding.delete(id)
      })
    this.#feeding.set(id, feeding)
  }

  /** Number of the oldest file of the log that is still to be sent; undefined where nothing waits. */
  needs(id: string): number | undefined {
    return this.#feeding.get(id)?.forwarder?.needs
  }

  /** At a removal, or where the driver changes: what is written by now has some seconds to get out. */
  async end(id: string): Promise<void> {
    const feeding = this.#feeding.get(id)
    if (feeding === undefined) return
    const patience = feeding.forwarder?.isFailing ? FAILING_MS : LAST_LINES_MS
    const timer = setTimeout(() => {
      log.warn("A log's last lines were not taken in time", { container: id })
      feeding.stop.abort()
    }, patience)
    await feeding.done
    clearTimeout(timer)
  }

  /** Nothing is fed any more: the containers are being taken off the machine. */
  close(): void {
    this.#isClosed = true
    for (const { stop } of this.#feeding.values()) stop.abort()
  }

  /** At once; where it was stays noted. */
  async stop(id: string): Promise<void> {
    const feeding = this.#feeding.get(id)
    feeding?.stop.abort()
    await feeding?.done
  }
}

async function build(fed: Fed): Promise<Forwarder> {
  const { openDriver } = await import("./open-driver.ts")
  const { Forwarder } = await import("./forwarder.ts")
  const { options, id } = fed.info
  const driver = await openDriver(fed.type, fed.info, fed.jsonLog)
  const backlog = backlogOf(fed.type, options)
  const hold = options["mode"] === "blocking" ? { above: fed.kept, begin: fed.hold } : undefined
  return new Forwarder({ id, path: fed.log, notes: notesOf(fed.state), driver, backlog, hold })
}

export function notesOf(state: string): string {
  return join(state, "forwarded.json")
}

/** Bytes that may wait: as many as the options say where the container must not be held up by them. */
function backlogOf(type: string, options: LogInfo["options"]): number | undefined {
  if (options["mode"] === "non-blocking") return parseRamSize(options["max-buffer-size"] ?? String(RING_BYTES))
  if (type === "fluentd" && parseBool(options["fluentd-async"] || "false"))
    return options["fluentd-buffer-limit"] ? parseRamSize(options["fluentd-buffer-limit"]) : FLUENTD_BUFFER
  return undefined
}
