// Datagrams to a socket of the file system: a connected AF_UNIX SOCK_DGRAM socket.
import { errnoName } from "../errors.ts"
import { lastError, libc } from "./libc.ts"
import { connectUnix, SOCK } from "./unix-socket.ts"

const MSG_NOSIGNAL = 0x4000

/** The caller owns the descriptor. */
export function connectDatagram(path: string): number {
  return connectUnix(path, SOCK.DGRAM)
}

/** False where the receiver's queue is full. */
export function sendDatagram(fd: number, bytes: Uint8Array): boolean {
  if (Number(libc().send(fd, bytes, BigInt(bytes.length), MSG_NOSIGNAL)) >= 0) return true
  const error = lastError("send")
  const code = errnoName(error)
  if (code === "EAGAIN" || code === "ENOBUFS") return false
  throw error
}
