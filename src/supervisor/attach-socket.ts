// Connecting to conmon's attach socket. It lies in the bundle, and a bundle under a long data root has a path that does
// not fit into a socket address; then the way leads through /proc/self/fd, as conmon itself does for binding it.
import { closeSync, constants, openSync } from "node:fs"
import { join } from "node:path"
import { errnoName } from "../lib/errors.ts"
import { connectSeqpacket } from "../lib/syscalls/seqpacket.ts"

const LONGEST_SOCKET_PATH = 107
const O_PATH = 0o10000000

/** A connected descriptor, or undefined where no conmon listens any more. */
export function connectAttach(bundle: string): number | undefined {
  try {
    const path = join(bundle, "attach")
    if (Buffer.byteLength(path) <= LONGEST_SOCKET_PATH) return connectSeqpacket(path)
    const directory = openSync(bundle, O_PATH | constants.O_DIRECTORY)
    try {
      return connectSeqpacket(`/proc/self/fd/${directory}/attach`)
    } finally {
      closeSync(directory)
    }
  } catch (error) {
    const code = errnoName(error)
    if (code === "ENOENT" || code === "ECONNREFUSED") return undefined
    throw error
  }
}
