// Connected AF_UNIX sockets of the types that neither node's modules nor Bun open by path.
import { closeSync } from "node:fs"
import { cstring, lastError, libc } from "./libc.ts"

const AF_UNIX = 1
const SOCK_CLOEXEC = 0o2000000
const SOCK_NONBLOCK = 0o4000
const SUN_PATH_BYTES = 108
export const SOCK = { DGRAM: 2, SEQPACKET: 5 } as const

/** Connects to the socket at `path` (at most 107 bytes); the caller owns the descriptor, which does not block. */
export function connectUnix(path: string, type: (typeof SOCK)[keyof typeof SOCK]): number {
  const name = cstring(path)
  if (name.length > SUN_PATH_BYTES) throw new RangeError(`Socket path "${path}" is longer than 107 bytes`)
  const fd = libc().socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)
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
