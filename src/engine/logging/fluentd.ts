// The fluentd driver: Fluentd's forward protocol, an event a line. Where receipts are asked for (fluentd-request-ack), a
// batch is out of our hands when each of its events was acknowledged.
import { randomBytes } from "node:crypto"
import { decodeMulti, Encoder, ExtensionCodec } from "@msgpack/msgpack"
import { describeError } from "../../lib/errors.ts"
import { log } from "../../lib/log.ts"
import { parseFluentdAddress } from "./address.ts"
import type { LogDriver, RetryPolicy } from "./driver.ts"
import { DEFAULT_TAG, extraAttributes, type LogInfo, logTag } from "./info.ts"
import type { LogMessage } from "./messages.ts"
import { StreamTransport } from "./transport.ts"
import { parseBool, parseInteger, parseSpanOf } from "./values.ts"

const EVENT_TIME = 0
/** Where nothing else is said, the longest wait for a receipt. */
const ACK_MS = 60_000

class EventTime {
  readonly seconds: number
  readonly nanoseconds: number

  constructor(time: string) {
    this.seconds = Math.floor(Date.parse(time) / 1000)
    this.nanoseconds = Number(time.slice(20, 29))
  }
}

const codec = new ExtensionCodec()
codec.register({
  type: EVENT_TIME,
  encode: (value) => {
    if (!(value instanceof EventTime)) return null
    const bytes = Buffer.alloc(8)
    bytes.writeUInt32BE(value.seconds, 0)
    bytes.writeUInt32BE(value.nanoseconds, 4)
    return bytes
  },
  decode: (bytes) => bytes,
})

export class Fluentd implements LogDriver {
  readonly retry: RetryPolicy
  readonly #encoder = new Encoder({ extensionCodec: codec })
  readonly #transport: StreamTransport
  readonly #tag: string
  readonly #common: Readonly<Record<string, string>>
  readonly #extra: Readonly<Record<string, string>>
  readonly #isPrecise: boolean
  readonly #wantsAck: boolean
  readonly #isAsync: boolean
  readonly #ackTime: number
  readonly #awaited = new Map<string, () => void>()
  #answer = Buffer.alloc(0)
  #broke: (error: Error) => void = () => {}

  constructor(info: LogInfo) {
    const { options } = info
    const truth = (option: string): boolean => parseBool(options[option] || "false")
    this.#tag = logTag(info, DEFAULT_TAG)
    this.#common = { container_id: info.id, container_name: `/${info.name}` }
    this.#extra = extraAttributes(info)
    this.#isPrecise = truth("fluentd-sub-second-precision")
    this.#wantsAck = truth("fluentd-request-ack")
    this.#isAsync = truth("fluentd-async")
    const timeout = parseSpanOf(options["fluentd-write-timeout"] || "0")
    this.#ackTime = timeout || ACK_MS
    const wait = options["fluentd-retry-wait"] || options["fluentd-async-reconnect-interval"]
    const limit = options["fluentd-max-retries"]
    this.retry = {
      ...(limit ? { limit: parseInteger(limit) } : {}),
      ...(wait ? { delay: parseSpanOf(wait) } : {}),
    }
    const address = parseFluentdAddress(options["fluentd-address"] ?? "")
    this.#transport = new StreamTransport(address, {
      ...(address.scheme === "tls" ? { tls: {} } : {}),
      timeout,
      onData: (bytes) => this.#receive(bytes),
      onBreak: (error) => this.#broke(error),
    })
  }

  async open(): Promise<void> {
    try {
      await this.#transport.open()
    } catch (error) {
      // Asynchronous: the container starts all the same, and what it writes waits.
      if (!this.#isAsync) throw error
      log.debug("Fluentd is not there yet", { error: describeError(error) })
    }
  }

  async send(messages: readonly LogMessage[]): Promise<void> {
    this.#awaited.clear()
    const { promise: acknowledged, resolve, reject } = Promise.withResolvers<void>()
    acknowledged.catch(() => {})
    const events = messages.map((message) => this.#event(message, resolve))
    this.#broke = reject
    await this.#transport.write(Buffer.concat(events))
    if (this.#awaited.size === 0) return
    const timer = setTimeout(() => reject(new Error("no acknowledgement in time")), this.#ackTime)
    try {
      await acknowledged
    } catch (error) {
      this.#transport.close()
      throw error
    } finally {
      clearTimeout(timer)
      this.#broke = () => {}
    }
  }

  close(): void {
    this.#transport.close()
  }

  #event({ stream, time, line, partial }: LogMessage, done: () => void): Uint8Array {
    const record: Record<string, string> = {
      ...this.#common,
      source: stream === 2 ? "stderr" : "stdout",
      log: line.toString(),
      ...this.#extra,
    }
    if (partial !== undefined) {
      record["partial_message"] = "true"
      record["partial_id"] = partial.id
      record["partial_ordinal"] = String(partial.ordinal)
      record["partial_last"] = String(partial.last)
    }
    const when = this.#isPrecise ? new EventTime(time) : Math.floor(Date.parse(time) / 1000)
    const option: Record<string, string> = {}
    if (this.#wantsAck) {
      const chunk = randomBytes(16).toString("base64")
      option["chunk"] = chunk
      this.#awaited.set(chunk, () => {
        this.#awaited.delete(chunk)
        if (this.#awaited.size === 0) done()
      })
    }
    return this.#encoder.encode([this.#tag, when, record, option])
  }

  /** Receipts: {"ack": chunk}, one after the other; one may come in pieces. */
  #receive(bytes: Buffer): void {
    this.#answer = Buffer.concat([this.#answer, bytes])
    if (this.#answer.length > 1024 * 1024) this.#answer = Buffer.alloc(0)
    try {
      for (const answer of decodeMulti(this.#answer)) {
        const chunk = (answer as { readonly ack?: unknown } | null)?.ack
        if (typeof chunk === "string") this.#awaited.get(chunk)?.()
      }
      this.#answer = Buffer.alloc(0)
    } catch {
      // The rest is still to come.
    }
  }
}
