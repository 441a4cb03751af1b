// A port of the host, held by a bound socket of ours so that no other process takes it while rules lead it elsewhere.
// Connections never arrive at the socket: they are redirected before.
import { closeSync } from "node:fs"
import { check, lastError, libc } from "../lib/syscalls/libc.ts"
import { parseAddress } from "./subnet.ts"

const AF_INET = 2
const SOCK_STREAM = 1
const SOCK_DGRAM = 2
const SOCK_CLOEXEC = 0o2000000
const SOL_SOCKET = 1
const SO_REUSEADDR = 2
const SO_RCVBUF = 8

/** A descriptor that holds the port; throws the system's error. Undefined where the kernel lacks the protocol. */
export function holdPort(protocol: "tcp" | "udp" | "sctp", hostIp: string, port: number): number | undefined {
  // The kernel's SCTP is rarely there, and a bind there would load a module: such a port is only kept among our own.
  if (protocol === "sctp") return undefined
  const type = protocol === "tcp" ? SOCK_STREAM : SOCK_DGRAM
  const fd = check(libc().socket(AF_INET, type | SOCK_CLOEXEC, 0), "socket")
  try {
    // For TCP as every server does it: else connections that ended a minute ago would count as a conflict. Listening
    // then makes the port ours alone.
    if (protocol === "tcp") option(fd, SO_REUSEADDR, 1)
    else option(fd, SO_RCVBUF, 0)
    const name = socketAddress(hostIp, port)
    if (libc().bind(fd, name, name.length) < 0) throw lastError("bind")
    if (protocol === "tcp" && libc().listen(fd, 0) < 0) throw lastError("listen")
    return fd
  } catch (error) {
    closeSync(fd)
    throw error
  }
}

function option(fd: number, name: number, value: number): void {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32LE(value)
  check(libc().setsockopt(fd, SOL_SOCKET, name, bytes, bytes.length), "setsockopt")
}

/** struct sockaddr_in */
function socketAddress(hostIp: string, port: number): Buffer {
  const bytes = Buffer.alloc(16)
  bytes.writeUInt16LE(AF_INET, 0)
  bytes.writeUInt16BE(port, 2)
  bytes.writeUInt32BE(hostIp === "" ? 0 : parseAddress(hostIp), 4)
  return bytes
}
