// Ways to a receiver: datagrams (UDP, unix), and streams (TCP, TLS, unix) that say when the kernel has taken the bytes. A
// connection that broke is made anew by the next `open`.

import { createSocket, type Socket as UdpSocket } from "node:dgram"
import { lookup } from "node:dns/promises"
import { closeSync } from "node:fs"
import { connect, isIP, type Socket } from "node:net"
import { type ConnectionOptions, connect as connectTls } from "node:tls"
import { DhowError, errnoName } from "../../lib/errors.ts"
import { connectDatagram, sendDatagram } from "../../lib/syscalls/datagram.ts"
import type { SocketAddress } from "./address.ts"

const CONNECT_MS = 10_000
/** Between two tries to give a datagram to a receiver whose queue is full. */
const QUEUE_FULL_MS = 2

export interface Transport {
  open(): Promise<void>
  write(bytes: Uint8Array): Promise<void>
  close(): void
}

export type StreamOptions = {
  readonly tls?: ConnectionOptions
  /** Milliseconds for a write; none where absent. */
  readonly timeout?: number
  readonly onData?: (bytes: Buffer) => void
  readonly onBreak?: (error: Error) => void
}

export class StreamTransport implements Transport {
  readonly #address: SocketAddress
  readonly #options: StreamOptions
  #socket: Socket | undefined

  constructor(address: SocketAddress, options: StreamOptions = {}) {
    this.#address = address
    this.#options = options
  }

  async open(): Promise<void> {
    if (this.#socket !== undefined) return
    const { host, port, path, scheme } = this.#address
    const { tls, onData, onBreak } = this.#options
    const where = path === "" ? `${scheme === "unix" ? scheme : "tcp"} ${host}:${port}` : `unix ${path}`
    const opened = Promise.withResolvers<void>()
    const socket =
      tls !== undefined
        ? connectTls({ ...tls, host, port, ...(isIP(host) === 0 ? { servername: host } : {}) }, opened.resolve)
        : connect(path === "" ? { host, port } : { path }, opened.resolve)
    const timer = setTimeout(() => socket.destroy(new Error("i/o timeout")), CONNECT_MS)
    const broke = (error: Error): void => {
      opened.reject(new DhowError("internal", `dial ${where}: ${reason(error)}`))
      if (this.#socket !== socket) return
      this.#socket = undefined
      socket.destroy()
      onBreak?.(error)
    }
    socket.on("error", broke)
    socket.on("close", () => broke(new Error("connection closed")))
    // Nothing comes from most of them: the other side's end is the end.
    socket.on("end", () => broke(new Error("connection closed by the receiver")))
    socket.on("data", (bytes: Buffer) => onData?.(bytes))
    try {
      await opened.promise
      this.#socket = socket
    } catch (error) {
      socket.destroy()
      throw error
    } finally {
      clearTimeout(timer)
    }
  }

  async write(bytes: Uint8Array): Promise<void> {
    const socket = this.#socket
    if (socket === undefined) throw new Error("not connected")
    const { timeout } = this.#options
    const written = Promise.withResolvers<void>()
    const timer = timeout ? setTimeout(() => socket.destroy(new Error("write timed out")), timeout) : undefined
    const closed = (): void => written.reject(new Error("connection closed"))
    socket.once("close", closed)
    socket.write(bytes, (error) => (error ? written.reject(error) : written.resolve()))
    try {
      await written.promise
    } catch (error) {
      this.close()
      throw error
    } finally {
      clearTimeout(timer)
      socket.off("close", closed)
    }
  }

  close(): void {
    const socket = this.#socket
    this.#socket = undefined
    // What was written goes out first.
    socket?.end()
  }
}

export class UdpTransport implements Transport {
  readonly #address: SocketAddress
  #socket: UdpSocket | undefined

  constructor(address: SocketAddress) {
    this.#address = address
  }

  async open(): Promise<void> {
    if (this.#socket !== undefined) return
    const { host, port } = this.#address
    const address = host === "" ? "127.0.0.1" : host
    let found: { readonly address: string; readonly family: number }
    try {
      found = await lookup(address)
    } catch {
      throw new DhowError("internal", `dial udp: lookup ${host}: no such host`)
    }
    const socket = createSocket(found.family === 6 ? "udp6" : "udp4")
    // Nobody listening is not known here: datagrams are sent and forgotten.
    socket.on("error", () => {})
    await new Promise<void>((resolve) => socket.connect(port, found.address, resolve))
    socket.unref()
    this.#socket = socket
  }

  async write(bytes: Uint8Array): Promise<void> {
    const socket = this.#socket
    if (socket === undefined) throw new Error("not connected")
    await new Promise<void>((resolve, reject) =>
      // A refusal tells of the datagram before.
      socket.send(bytes, (error) => (error && errnoName(error) !== "ECONNREFUSED" ? reject(error) : resolve())),
    )
  }

  close(): void {
    this.#socket?.close()
    this.#socket = undefined
  }
}

/** A unix datagram socket, /dev/log or the journal's: it says when its queue is full, and then is waited for. */
export class UnixDatagramTransport implements Transport {
  readonly #path: string
  #fd: number | undefined

  constructor(path: string) {
    this.#path = path
  }

  async open(): Promise<void> {
    this.#fd ??= connectDatagram(this.#path)
  }

  async write(bytes: Uint8Array): Promise<void> {
    if (this.#fd === undefined) throw new Error("not connected")
    try {
      while (!sendDatagram(this.#fd, bytes)) await Bun.sleep(QUEUE_FULL_MS)
    } catch (error) {
      this.close()
      throw error
    }
  }

  close(): void {
    if (this.#fd !== undefined) closeSync(this.#fd)
    this.#fd = undefined
  }
}

function reason(error: Error): string {
  switch (errnoName(error)) {
    case "ECONNREFUSED":
      return "connect: connection refused"
    case "ENOENT":
      return "connect: no such file or directory"
    case "ENOTFOUND":
      return "no such host"
    default:
      return error.message
  }
}
