// A port of the host, held by a bound socket of ours so that no other process takes it while rules lead it elsewhere.
// Connections never arrive at the socket: they are redirected before.
import { closeSync } from "node:fs"
import { type Address, bytesOf, parseIp } from "../lib/ip-address.ts"
import { check, lastError, libc } from "../lib/syscalls/libc.ts"

const AF = { 4: 2, 6: 10 } as const
const SOCK_STREAM = 1
const SOCK_DGRAM = 2
const SOCK_CLOEXEC = 0o2000000
const SOL_SOCKET = 1
const SO_REUSEADDR = 2
const SO_RCVBUF = 8
const IPPROTO_IPV6 = 41
const IPV6_V6ONLY = 26

/** A descriptor that holds the port; throws the system's error. Undefined where the kernel lacks the protocol. */
export function holdPort(protocol: "tcp" | "udp" | "sctp", hostIp: string, port: number): number | undefined {
  // The kernel's SCTP is rarely there, and a bind there would load a module: such a port is only kept among our own.
  if (protocol === "sctp") return undefined
  const address = parseIp(hostIp === "" ? "0.0.0.0" : hostIp)
  if (address === undefined) throw new Error(`"${hostIp}" is no address`)
  const type = protocol === "tcp" ? SOCK_STREAM : SOCK_DGRAM
  // No rule leads ::1 anywhere, the kernel would lose the answers: who tries "localhost" there is refused at once by a
  // socket that does not listen, and goes on to 127.0.0.1.
  const listens = protocol === "tcp" && address.family === 4
  const fd = check(libc().socket(AF[address.family], type | SOCK_CLOEXEC, 0), "socket")
  try {
    // For TCP as every server does it: else connections that ended a minute ago would count as a conflict. Listening
    // then makes the port ours alone.
    if (protocol === "tcp" && listens) option(fd, SOL_SOCKET, SO_REUSEADDR, 1)
    else if (protocol === "udp") option(fd, SOL_SOCKET, SO_RCVBUF, 0)
    if (address.family === 6) option(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1)
    const name = socketAddress(address, port)
    if (libc().bind(fd, name, name.length) < 0) throw lastError("bind")
    if (listens && libc().listen(fd, 0) < 0) throw lastError("listen")
    return fd
  } catch (error) {
    closeSync(fd)
    throw error
  }
}

function option(fd: number, level: number, name: number, value: number): void {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32LE(value)
  check(libc().setsockopt(fd, level, name, bytes, bytes.length), "setsockopt")
}

/** struct sockaddr_in, struct sockaddr_in6 */
function socketAddress(address: Address, port: number): Buffer {
  const bytes = Buffer.alloc(address.family === 4 ? 16 : 28)
  bytes.writeUInt16LE(AF[address.family], 0)
  bytes.writeUInt16BE(port, 2)
  bytes.set(bytesOf(address), address.family === 4 ? 4 : 8)
  return bytes
}
