// A connected AF_UNIX SOCK_SEQPACKET socket. Bun.connect({ fd }) takes the descriptor over: its event loop then delivers
// exactly one packet per data callback.
import { connectUnix, SOCK } from "./unix-socket.ts"

/** Connects to the socket at `path` (at most 107 bytes); the caller owns the descriptor. */
export function connectSeqpacket(path: string): number {
  return connectUnix(path, SOCK.SEQPACKET)
}
