// Reading and writing file descriptors without stopping the event loop: signals and the other stream must go on being
// served while a pipe is full or a keyboard is silent.
import { constants, fstatSync, openSync, read, write, writeSync } from "node:fs"
import { EPIPE_STATUS } from "../output.ts"

const CHUNK = 64 * 1024

/** The bytes of a descriptor until its end. */
export async function* readDescriptor(fd: number): AsyncGenerator<Uint8Array> {
  while (true) {
    const buffer = new Uint8Array(CHUNK)
    const length = await new Promise<number>((resolve, reject) => {
      read(fd, buffer, 0, CHUNK, null, (error, bytesRead) => {
        if (error === null) resolve(bytesRead)
        // Somebody else made the descriptor non-blocking.
        else if (error.code === "EAGAIN") setTimeout(resolve, 5, -1)
        // A terminal that hung up has ended.
        else if (error.code === "EIO") resolve(0)
        else reject(error)
      })
    })
    if (length === 0) return
    if (length > 0) yield buffer.subarray(0, length)
  }
}

export type DescriptorWriter = (chunk: Uint8Array) => Promise<void> | undefined

/** Writes at once what the descriptor takes; for the rest a thread waits. Resolves when the kernel has it all. */
export function descriptorWriter(fd: number): DescriptorWriter {
  const nonBlocking = fstatSync(fd).isFile() ? fd : reopenNonBlocking(fd)
  return (chunk) => {
    const written = nonBlocking === undefined ? 0 : writeNow(nonBlocking, chunk)
    return written === chunk.byteLength ? undefined : writeLater(fd, chunk.subarray(written))
  }
}

/** The same pipe or terminal, opened anew: to set O_NONBLOCK on ours would set it for everybody who shares it. */
function reopenNonBlocking(fd: number): number | undefined {
  try {
    return openSync(`/proc/self/fd/${fd}`, constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY)
  } catch {
    // A socket, or somebody else's: the thread does it all.
    return undefined
  }
}

function writeNow(fd: number, chunk: Uint8Array): number {
  let at = 0
  try {
    while (at < chunk.byteLength) at += writeSync(fd, chunk, at, chunk.byteLength - at)
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    if (code === "EPIPE") process.exit(EPIPE_STATUS)
    if (code !== "EAGAIN") throw error
  }
  return at
}

async function writeLater(fd: number, chunk: Uint8Array): Promise<void> {
  let at = 0
  while (at < chunk.byteLength) {
    at += await new Promise<number>((resolve, reject) => {
      write(fd, chunk, at, chunk.byteLength - at, null, (error, written) => {
        if (error === null) resolve(written)
        else if (error.code === "EAGAIN") setTimeout(resolve, 2, 0)
        // The reader has gone: nobody is left to be told.
        else if (error.code === "EPIPE") process.exit(EPIPE_STATUS)
        else reject(error)
      })
    })
  }
}
