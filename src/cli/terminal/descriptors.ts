// Reading and writing file descriptors without stopping the event loop: signals and the other stream must go on being
// served while a pipe is full or a keyboard is silent.
import { fstatSync, read, write } from "node:fs"
import { writeAll } from "../output.ts"

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

/** Writes to files at once; to pipes and terminals, which may be full, from a thread. */
export function descriptorWriter(fd: number): DescriptorWriter {
  const target = fstatSync(fd)
  if (target.isFile())
    return (chunk) => {
      writeAll(fd, chunk)
      return undefined
    }
  return (chunk) => writeLater(fd, chunk)
}

async function writeLater(fd: number, chunk: Uint8Array): Promise<void> {
  let at = 0
  while (at < chunk.byteLength) {
    at += await new Promise<number>((resolve, reject) => {
      write(fd, chunk, at, chunk.byteLength - at, null, (error, written) => {
        if (error === null) resolve(written)
        else if (error.code === "EAGAIN") setTimeout(resolve, 2, 0)
        // The reader has gone: nobody is left to be told.
        else if (error.code === "EPIPE") process.exit(141)
        else reject(error)
      })
    })
  }
}
