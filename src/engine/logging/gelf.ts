// The gelf driver: a JSON object a line, over UDP (compressed, in chunks where it is long) or TCP (each ended by a NUL).
import { randomBytes } from "node:crypto"
import { hostname } from "node:os"
import { deflateSync, gzipSync } from "node:zlib"
import { DhowError } from "../../lib/errors.ts"
import { parseGelfAddress } from "./address.ts"
import type { LogDriver, RetryPolicy } from "./driver.ts"
import { DEFAULT_TAG, extraAttributes, goJson, type LogInfo, logTag } from "./info.ts"
import { shortTime } from "./json-line.ts"
import type { LogMessage } from "./messages.ts"
import { StreamTransport, type Transport, UdpTransport } from "./transport.ts"

const CHUNK = 1420
const CHUNK_HEADER = 12
const MOST_CHUNKS = 128
const ERROR = 3
const INFO = 6

export class Gelf implements LogDriver {
  readonly retry: RetryPolicy
  readonly #transport: Transport
  readonly #where: string
  readonly #isTcp: boolean
  readonly #pack: (json: string) => Buffer
  /** The fields that all messages share, with the comma before them. */
  readonly #extra: string
  readonly #host = JSON.stringify(hostname())

  constructor(info: LogInfo) {
    const { options } = info
    const address = parseGelfAddress(options["gelf-address"] ?? "")
    this.#where = `${address.host}:${address.port}`
    this.#isTcp = address.scheme === "tcp"
    this.#transport = this.#isTcp ? new StreamTransport(address) : new UdpTransport(address)
    this.#pack = packer(options["gelf-compression-type"] ?? "gzip", Number(options["gelf-compression-level"] ?? 1))
    const limit = options["gelf-tcp-max-reconnect"]
    const delay = options["gelf-tcp-reconnect-delay"]
    this.retry = {
      ...(limit === undefined ? {} : { limit: Number(limit) }),
      ...(delay === undefined ? {} : { delay: Number(delay) * 1000 }),
    }
    const extra = goJson({
      _container_id: info.id,
      _container_name: info.name,
      _image_id: info.imageId,
      _image_name: info.imageName,
      _command: [info.path, ...info.args].join(" "),
      _tag: logTag(info, DEFAULT_TAG),
      _created: shortTime(info.created),
      ...extraAttributes(info, (name) => (name.startsWith("_") ? name : `_${name}`)),
    })
    this.#extra = `,${extra.slice(1)}`
  }

  async open(): Promise<void> {
    try {
      await this.#transport.open()
    } catch (error) {
      throw new DhowError("internal", `gelf: cannot connect to GELF endpoint: ${this.#where} ${messageOf(error)}`)
    }
  }

  async send(messages: readonly LogMessage[]): Promise<void> {
    // Docker sends no empty lines.
    const lines = messages.filter(({ line }) => line.length > 0).map((message) => this.#json(message))
    if (lines.length === 0) return
    if (this.#isTcp) await this.#transport.write(Buffer.from(`${lines.join("\0")}\0`))
    else for (const line of lines) for (const chunk of chunksOf(this.#pack(line))) await this.#transport.write(chunk)
  }

  close(): void {
    this.#transport.close()
  }

  #json({ stream, time, line }: LogMessage): string {
    const text = JSON.stringify(line.toString())
    const level = stream === 2 ? ERROR : INFO
    return `{"version":"1.1","host":${this.#host},"short_message":${text},"timestamp":${Date.parse(time) / 1000},"level":${level}${this.#extra}`
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

function packer(type: string, level: number): (json: string) => Buffer {
  if (type === "none") return (json) => Buffer.from(json)
  const compress = type === "zlib" ? deflateSync : gzipSync
  return (json) => compress(json, { level })
}

/** Exported for its tests. */
export function chunksOf(message: Buffer): readonly Buffer[] {
  if (message.length <= CHUNK) return [message]
  const room = CHUNK - CHUNK_HEADER
  const count = Math.ceil(message.length / room)
  // A line has 16 KiB; only attributes of the container can make it this long.
  if (count > MOST_CHUNKS) return []
  const id = randomBytes(8)
  return Array.from({ length: count }, (_, index) =>
    Buffer.concat([
      Buffer.from([0x1e, 0x0f]),
      id,
      Buffer.from([index, count]),
      message.subarray(index * room, (index + 1) * room),
    ]),
  )
}
