// Receivers for the tests of log drivers: rsyslog and systemd's journal as they are, and for GELF and Fluentd, which have
// none among Debian's packages, ones that take the protocols apart with other code than the drivers'.
import { createSocket } from "node:dgram"
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { createServer, type Socket } from "node:net"
import { join } from "node:path"
import { gunzipSync, inflateSync } from "node:zlib"
import { decodeMultiStream, type ExtData, encode } from "@msgpack/msgpack"

const program = Bun.which("rsyslogd", { PATH: `${process.env["PATH"]}:/usr/sbin` })
/** With its module for TLS, which comes in a package of its own. */
export const rsyslogd = Bun.spawnSync(["find", "/usr/lib", "-name", "lmnsd_gtls.so"]).stdout.length > 0 ? program : null
const JOURNALD = "/lib/systemd/systemd-journald"
export const hasJournald = process.getuid?.() === 0 && Bun.file(JOURNALD).size > 0 && Bun.which("journalctl") !== null

/** A port that nobody has at the moment. */
export function freePort(): number {
  const server = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } })
  const { port } = server
  server.stop(true)
  return port
}

export type Receiver = { stop(): Promise<void> }

/** UDP and TCP on `port`, TLS on `tlsPort`, and a datagram socket; every message as it came, one a line in `file`. */
export async function startRsyslog(
  directory: string,
  ports: { readonly plain: number; readonly tls: number },
): Promise<Receiver & { readonly file: string; readonly socket: string; readonly ca: string }> {
  const file = join(directory, "messages")
  const socket = join(directory, "log.sock")
  const ca = join(directory, "cert.pem")
  const key = join(directory, "key.pem")
  mkdirSync(join(directory, "work"), { recursive: true })
  const made = Bun.spawnSync([
    ...["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1"],
    ...["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", ca],
  ])
  if (made.exitCode !== 0) throw new Error(made.stderr.toString())
  const config = join(directory, "rsyslog.conf")
  writeFileSync(
    config,
    `global(workDirectory="${directory}/work" maxMessageSize="64k" parser.escapeControlCharactersOnReceive="off"
  defaultNetstreamDriverCAFile="${ca}" defaultNetstreamDriverCertFile="${ca}" defaultNetstreamDriverKeyFile="${key}")
module(load="imudp") module(load="imtcp") module(load="imuxsock" sysSock.use="off")
input(type="imudp" address="127.0.0.1" port="${ports.plain}")
input(type="imtcp" address="127.0.0.1" port="${ports.plain}")
input(type="imtcp" address="127.0.0.1" port="${ports.tls}" streamDriver.name="gtls" streamDriver.mode="1" streamDriver.authMode="anon")
input(type="imuxsock" socket="${socket}" useSpecialParser="off" parseHostname="on")
template(name="raw" type="string" string="%inputname% %rawmsg-after-pri% [%syslogfacility-text%.%syslogseverity-text%]\\n")
action(type="omfile" file="${file}" template="raw")
`,
  )
  const child = Bun.spawn([rsyslogd!, "-n", "-f", config, "-i", join(directory, "pid")], {
    stdio: ["ignore", "ignore", Bun.file(join(directory, "errors"))],
  })
  for (;;) {
    if (child.exitCode !== null) throw new Error(`rsyslogd: ${readFileSync(join(directory, "errors"), "utf8")}`)
    try {
      for (const port of [ports.plain, ports.tls]) {
        const connection = await Bun.connect({ hostname: "127.0.0.1", port, socket: { data() {} } })
        connection.end()
      }
      break
    } catch {
      await Bun.sleep(20)
    }
  }
  return { file, socket, ca, stop: () => ended(child) }
}

/** systemd's journal, in a namespace of its own: what it has of a container, as journalctl gives it. */
export async function startJournal(
  namespace: string,
): Promise<Receiver & { entries(container: string): Record<string, string | number[]>[] }> {
  const socket = `/run/systemd/journal.${namespace}`
  const places = ["/var/log/journal", "/run/log/journal"]
  const made = places.filter((place) => !existsSync(place))
  const child = Bun.spawn([JOURNALD, namespace], { stdio: ["ignore", "ignore", "ignore"] })
  while (
    !(await Bun.file(`${socket}/socket`).exists()) &&
    Bun.spawnSync(["test", "-S", `${socket}/socket`]).exitCode !== 0
  ) {
    if (child.exitCode !== null) throw new Error(`systemd-journald ended with ${child.exitCode}`)
    await Bun.sleep(20)
  }
  return {
    entries(container) {
      const match = `CONTAINER_ID_FULL=${container}`
      const { stdout } = Bun.spawnSync(["journalctl", `--namespace=${namespace}`, "-q", "--all", "-o", "json", match])
      const lines = stdout.toString().split("\n").filter(Boolean)
      return lines.map((line) => JSON.parse(line) as Record<string, string | number[]>)
    },
    async stop() {
      await ended(child)
      rmSync(socket, { recursive: true, force: true })
      const machine = readFileSync("/etc/machine-id", "utf8").trim()
      for (const place of places) rmSync(join(place, `${machine}.${namespace}`), { recursive: true, force: true })
      for (const place of made) rmSync(place, { recursive: true, force: true })
    },
  }
}

export type GelfMessage = Record<string, string | number>

/** UDP, whatever its compression and in however many chunks, and TCP on the same port. */
export async function startGelf(): Promise<
  Receiver & { readonly port: number; readonly messages: GelfMessage[]; chunks: number }
> {
  const messages: GelfMessage[] = []
  const parts = new Map<string, Buffer[]>()
  const whole = (bytes: Buffer): void => {
    const plain = bytes[0] === 0x1f ? gunzipSync(bytes) : bytes[0] === 0x78 ? inflateSync(bytes) : bytes
    messages.push(JSON.parse(plain.toString()) as GelfMessage)
  }
  const udp = createSocket("udp4")
  const receiver = { port: 0, messages, chunks: 0, stop: async () => {} }
  udp.on("message", (bytes) => {
    if (bytes[0] !== 0x1e || bytes[1] !== 0x0f) return whole(bytes)
    receiver.chunks++
    const id = bytes.toString("hex", 2, 10)
    const all = parts.get(id) ?? []
    all[bytes[10]!] = bytes.subarray(12)
    parts.set(id, all)
    if (all.filter(Boolean).length === bytes[11]) whole(Buffer.concat(all))
  })
  await new Promise<void>((resolve) => udp.bind(0, "127.0.0.1", resolve))
  receiver.port = udp.address().port
  const tcp = createServer((socket) => {
    let rest = Buffer.alloc(0)
    socket.on("data", (bytes: Buffer) => {
      rest = Buffer.concat([rest, bytes])
      for (let end = rest.indexOf(0); end >= 0; end = rest.indexOf(0)) {
        whole(rest.subarray(0, end))
        rest = rest.subarray(end + 1)
      }
    })
  })
  await new Promise<void>((resolve) => tcp.listen(receiver.port, "127.0.0.1", resolve))
  receiver.stop = async () => {
    udp.close()
    tcp.close()
  }
  return receiver
}

export type FluentEvent = {
  readonly tag: string
  readonly time: number | ExtData
  readonly record: Record<string, string>
}

/** Acknowledges what asks for it, unless `mute`; `crash` cuts every connection. */
export class FluentServer {
  readonly events: FluentEvent[] = []
  mute = false
  #server: ReturnType<typeof createServer> | undefined
  readonly #sockets = new Set<Socket>()

  async listen(where: number | string): Promise<void> {
    const server = createServer((socket) => {
      this.#sockets.add(socket)
      socket.on("error", () => {})
      socket.on("close", () => this.#sockets.delete(socket))
      this.#serve(socket).catch(() => socket.destroy())
    })
    this.#server = server
    await new Promise<void>((resolve) =>
      typeof where === "string" ? server.listen(where, resolve) : server.listen(where, "127.0.0.1", resolve),
    )
  }

  async crash(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    await new Promise<void>((resolve) => this.#server?.close(() => resolve()))
  }

  async #serve(socket: Socket): Promise<void> {
    for await (const message of decodeMultiStream(socket)) {
      const [tag, time, record, option] = message as [
        string,
        number | ExtData,
        Record<string, string>,
        { chunk?: string },
      ]
      if (this.mute) continue
      this.events.push({ tag, time, record })
      if (option?.chunk !== undefined) socket.write(encode({ ack: option.chunk }))
    }
  }
}

async function ended(child: Bun.Subprocess): Promise<void> {
  child.kill("SIGTERM")
  await child.exited
}
