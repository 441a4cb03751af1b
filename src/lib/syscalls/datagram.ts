// A connected AF_UNIX SOCK_DGRAM socket, which neither node:dgram nor Bun opens.
import { closeSync } from "node:fs"
import { errnoName } from "../errors.ts"
import { cstring, lastError, libc } from "./libc.ts"

const AF_UNIX = 1
const SOCK_DGRAM = 2
const SOCK_CLOEXEC = 0o2000000
const SOCK_NONBLOCK = 0o4000
const MSG_NOSIGNAL = 0x4000
const SUN_PATH_BYTES = 108

/** The caller owns the descriptor. */
export function connectDatagram(path: string): number {
  const name = cstring(path)
  if (name.length > SUN_PATH_BYTES) throw new RangeError(`Socket path "${path}" is longer than 107 bytes`)
  const fd = libc().socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)
  if (fd < 0) throw lastError("socket")
  const socketAddress = new Uint8Array(2 + name.length)
  socketAddress[0] = AF_UNIX
  socketAddress.set(name, 2)
  if (libc().connect(fd, socketAddress, socketAddress.length) < 0) {
    const error = lastError("connect", path)
    closeSync(fd)
    throw error
  }
  return fd
}

/** False where the receiver's queue is full. */
export function sendDatagram(fd: number, bytes: Uint8Array): boolean {
  if (Number(libc().send(fd, bytes, BigInt(bytes.length), MSG_NOSIGNAL)) >= 0) return true
  const error = lastError("send")
  const code = errnoName(error)
  if (code === "EAGAIN" || code === "ENOBUFS") return false
  throw error
}
