// Reading one log file: a plain one at any offset, also while it grows; a compressed one from its beginning.
import { closeSync, constants, createReadStream, fstatSync, openSync, read } from "node:fs"
import { pipeline } from "node:stream"
import { createZstdDecompress } from "node:zlib"
import { errnoName } from "../../lib/errors.ts"

export type PlainFile = { readonly fd: number; readonly inode: number; size(): number; close(): void }

/** undefined where the file is gone. It stays readable after rotation removes its name. */
export function openPlain(path: string): PlainFile | undefined {
  let fd: number
  try {
    fd = openSync(path, constants.O_RDONLY)
  } catch (error) {
    if (errnoName(error) === "ENOENT") return undefined
    throw error
  }
  return { fd, inode: fstatSync(fd).ino, size: () => fstatSync(fd).size, close: () => closeSync(fd) }
}

/** A fresh buffer with up to `length` bytes; shorter only where the file ends. `room` bytes are left free in front. */
export async function readAt(file: PlainFile, offset: number, length: number, room = 0): Promise<Buffer> {
  const buffer = Buffer.allocUnsafeSlow(room + length)
  let filled = room
  while (filled < buffer.length) {
    const count = await new Promise<number>((resolve, reject) =>
      read(file.fd, buffer, filled, buffer.length - filled, offset + filled - room, (error, bytes) =>
        error === null ? resolve(bytes) : reject(error),
      ),
    )
    if (count === 0) break
    filled += count
  }
  return filled === buffer.length ? buffer : buffer.subarray(0, filled)
}

export async function* readCompressed(path: string): AsyncGenerator<Buffer> {
  const decompressed = createZstdDecompress()
  // A failure, also of the file, surfaces at the iteration.
  pipeline(createReadStream(path), decompressed, () => {})
  for await (const chunk of decompressed) yield chunk as Buffer
}
