// The journald driver: the journal's native protocol over its datagram socket, with Docker's fields. Epoch and ordinal go
// on over a restart of the engine: what is sent again has the same ones, and can be told.
import { randomBytes } from "node:crypto"
import { existsSync } from "node:fs"
import { DhowError } from "../../lib/errors.ts"
import type { LogDriver } from "./driver.ts"
import { DEFAULT_TAG, extraAttributes, type LogInfo, logTag } from "./info.ts"
import { shortTime } from "./json-line.ts"
import type { LogMessage } from "./messages.ts"
import { UnixDatagramTransport } from "./transport.ts"

const ERROR = "3"
const INFO = "6"

type Saved = { readonly epoch: string; readonly ordinal: number }

export class Journald implements LogDriver {
  readonly #path: string
  readonly #transport: UnixDatagramTransport
  readonly #fixed: Buffer
  #epoch = randomBytes(32).toString("hex")
  #ordinal = 0

  constructor(info: LogInfo) {
    const namespace = info.options["journald-namespace"]
    this.#path = `/run/systemd/journal${namespace === undefined ? "" : `.${namespace}`}/socket`
    this.#transport = new UnixDatagramTransport(this.#path)
    const tag = logTag(info, DEFAULT_TAG)
    this.#fixed = fields({
      CONTAINER_ID: info.id.slice(0, 12),
      CONTAINER_ID_FULL: info.id,
      CONTAINER_NAME: info.name,
      CONTAINER_TAG: tag,
      IMAGE_NAME: info.imageName,
      SYSLOG_IDENTIFIER: tag,
      ...extraAttributes(info, journalName),
    })
  }

  async open(): Promise<void> {
    if (!existsSync(this.#path)) throw new DhowError("internal", "journald is not enabled on this host")
    await this.#transport.open()
  }

  async send(messages: readonly LogMessage[]): Promise<void> {
    const begin = this.#ordinal
    try {
      for (const message of messages) await this.#transport.write(this.#entry(message, ++this.#ordinal))
    } catch (error) {
      this.#ordinal = begin
      throw error
    }
  }

  close(): void {
    this.#transport.close()
  }

  save(): Saved {
    return { epoch: this.#epoch, ordinal: this.#ordinal }
  }

  restore(saved: Saved | undefined): void {
    if (saved === undefined) return
    this.#epoch = saved.epoch
    this.#ordinal = saved.ordinal
  }

  #entry({ stream, time, line, partial }: LogMessage, ordinal: number): Buffer {
    const own: Record<string, string | Buffer> = {
      MESSAGE: line,
      PRIORITY: stream === 2 ? ERROR : INFO,
      SYSLOG_TIMESTAMP: shortTime(time),
      CONTAINER_LOG_EPOCH: this.#epoch,
      CONTAINER_LOG_ORDINAL: String(ordinal),
    }
    if (partial !== undefined) {
      own["CONTAINER_PARTIAL_ID"] = partial.id
      own["CONTAINER_PARTIAL_ORDINAL"] = String(partial.ordinal)
      own["CONTAINER_PARTIAL_LAST"] = String(partial.last)
      if (!partial.last) own["CONTAINER_PARTIAL_MESSAGE"] = "true"
    }
    return Buffer.concat([fields(own), this.#fixed])
  }
}

/** Capital letters, digits and underscores, not beginning with one. */
function journalName(name: string): string {
  return name
    .replace(/[a-z]/g, (letter) => letter.toUpperCase())
    .replace(/[^A-Z0-9]/gu, "_")
    .replace(/^_+/, "")
}

/** NAME=value lines; a value with a line's end is given with its length instead. */
function fields(values: Readonly<Record<string, string | Buffer>>): Buffer {
  return Buffer.concat(
    Object.entries(values).flatMap(([name, value]) => {
      const bytes = Buffer.from(value as string)
      if (name === "") return []
      if (!bytes.includes(0x0a)) return [Buffer.from(`${name}=`), bytes, Buffer.from("\n")]
      const length = Buffer.alloc(8)
      length.writeBigUInt64LE(BigInt(bytes.length))
      return [Buffer.from(`${name}\n`), length, bytes, Buffer.from("\n")]
    }),
  )
}
