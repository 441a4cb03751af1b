// The syslog driver: RFC 3164 or 5424 messages to /dev/log, a unix socket, UDP, TCP or TLS, in the form that Docker sends
// them, but with the time at which the line was written.
import { existsSync, readFileSync } from "node:fs"
import { hostname } from "node:os"
import type { ConnectionOptions } from "node:tls"
import { DhowError } from "../../lib/errors.ts"
import { parseSyslogAddress, type SocketAddress } from "./address.ts"
import type { LogDriver } from "./driver.ts"
import { DEFAULT_TAG, type LogInfo, logTag } from "./info.ts"
import type { LogMessage } from "./messages.ts"
import type { LogOptions } from "./options.ts"
import { parseSyslogFacility, parseSyslogFormat, type SyslogFormat } from "./syslog-words.ts"
import { StreamTransport, type Transport, UdpTransport, UnixDatagramTransport } from "./transport.ts"

const LOCAL_SOCKETS = ["/dev/log", "/var/run/syslog", "/var/run/log"]
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
const ERROR = 3
const INFO = 6

export class Syslog implements LogDriver {
  readonly #transport: Transport
  readonly #format: (severity: number, time: string, line: Buffer) => Buffer
  readonly #isDatagram: boolean

  constructor(info: LogInfo) {
    const { options } = info
    const address = parseSyslogAddress(options["syslog-address"] ?? "")
    this.#format = syslogFormat(parseSyslogFormat(options["syslog-format"] ?? ""), {
      facility: parseSyslogFacility(options["syslog-facility"] ?? ""),
      tag: logTag(info, DEFAULT_TAG),
      counted: address?.scheme === "tcp+tls",
    })
    this.#transport = transportTo(address, options)
    this.#isDatagram = !(this.#transport instanceof StreamTransport)
  }

  open(): Promise<void> {
    return this.#transport.open()
  }

  async send(messages: readonly LogMessage[]): Promise<void> {
    const lines = messages
      // Docker sends no empty ones.
      .filter(({ line }) => line.length > 0)
      .map(({ stream, time, line }) => this.#format(stream === 2 ? ERROR : INFO, time, line))
    if (this.#isDatagram) for (const line of lines) await this.#transport.write(line)
    else if (lines.length > 0) await this.#transport.write(Buffer.concat(lines))
  }

  close(): void {
    this.#transport.close()
  }
}

function transportTo(address: SocketAddress | undefined, options: LogOptions): Transport {
  if (address === undefined) {
    const path = LOCAL_SOCKETS.find((place) => existsSync(place))
    if (path === undefined) throw new DhowError("internal", "Unix syslog delivery error")
    return new UnixDatagramTransport(path)
  }
  switch (address.scheme) {
    case "udp":
      return new UdpTransport(address)
    case "unixgram":
      return new UnixDatagramTransport(address.path)
    case "tcp+tls":
      return new StreamTransport(address, { tls: tlsOptions(options) })
    default:
      return new StreamTransport(address)
  }
}

function tlsOptions(options: LogOptions): ConnectionOptions {
  const file = (option: string, what: string): Buffer | undefined => {
    const path = options[option]
    if (!path) return undefined
    try {
      return readFileSync(path)
    } catch (cause) {
      throw new DhowError("internal", `could not read ${what} "${path}"`, { cause })
    }
  }
  const ca = file("syslog-tls-ca-cert", "CA certificate")
  const cert = file("syslog-tls-cert", "X509 key pair")
  const key = file("syslog-tls-key", "X509 key pair")
  return {
    // As in Docker its mere presence counts, whatever its value.
    rejectUnauthorized: options["syslog-tls-skip-verify"] === undefined,
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined || key === undefined ? {} : { cert, key }),
  }
}

/** Exported for its tests. */
export function syslogFormat(
  format: SyslogFormat,
  { facility, tag, counted }: { readonly facility: number; readonly tag: string; readonly counted: boolean },
): (severity: number, time: string, line: Buffer) => Buffer {
  const host = hostname()
  const { pid } = process
  const head = (severity: number, time: string): string => {
    const priority = facility * 8 + severity
    switch (format) {
      case "":
        return `<${priority}>${stamp(time)} ${tag}[${pid}]: `
      case "rfc3164":
        return `<${priority}>${stamp(time)} ${host} ${tag}[${pid}]: `
      case "rfc5424":
        return `<${priority}>1 ${time.slice(0, 19)}Z ${host} ${tag} ${pid} ${tag} - `
      case "rfc5424micro":
        return `<${priority}>1 ${time.slice(0, 26)}Z ${host} ${tag} ${pid} ${tag} - `
    }
  }
  const isCounted = counted && format.startsWith("rfc5424")
  return (severity, time, line) => {
    const message = Buffer.concat([Buffer.from(head(severity, time)), line, NEWLINE])
    return isCounted ? Buffer.concat([Buffer.from(`${message.length} `), message]) : message
  }
}

const NEWLINE = Buffer.from("\n")

/** "Jan  2 15:04:05", the host's own time as syslog has it. */
function stamp(time: string): string {
  const date = new Date(time)
  const two = (number: number): string => String(number).padStart(2, "0")
  const clock = [date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(":")
  return `${MONTHS[date.getMonth()]} ${String(date.getDate()).padStart(2)} ${clock}`
}
