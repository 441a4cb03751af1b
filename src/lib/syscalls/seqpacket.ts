// A connected AF_UNIX SOCK_SEQPACKET socket, which neither node:net nor Bun opens by path. Bun.connect({ fd }) takes the
// descriptor over: its event loop then delivers exactly one packet per data callback.
import { closeSync } from "node:fs"
import { cstring, lastError, libc } from "./libc.ts"

const AF_UNIX = 1
const SOCK_SEQPACKET = 5
const SOCK_CLOEXEC = 0o2000000
const SOCK_NONBLOCK = 0o4000
const SUN_PATH_BYTES = 108

/** Connects to the socket at `path` (at most 107 bytes); the caller owns the descriptor. */
export function connectSeqpacket(path: string): number {
  const name = cstring(path)
  if (name.length > SUN_PATH_BYTES) throw new RangeError(`Socket path "${path}" is longer than 107 bytes`)
  const fd = libc().socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)
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
