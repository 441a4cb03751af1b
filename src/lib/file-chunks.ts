// The bytes of a file in pieces, through two buffers that are used again and again: while one is being sent, the other is
// read. What reads gigabytes so leaves nothing behind for the collector of memory.
import { open } from "node:fs/promises"

const BUFFER = 1 << 20
/** With its framing just below what an answer's output puts together before it writes. */
const PIECE = 120 << 10

/** Each piece is the caller's until he asks for the next one: whoever keeps it, copies it. */
export async function* fileChunks(path: string): AsyncGenerator<Uint8Array> {
  await using file = await open(path, "r")
  const read = async (buffer: Buffer): Promise<number> => (await file.read(buffer, 0, buffer.length, null)).bytesRead
  let [full, next] = [Buffer.allocUnsafeSlow(BUFFER), Buffer.allocUnsafeSlow(BUFFER)]
  let reading = read(full)
  try {
    for (;;) {
      const length = await reading
      if (length === 0) return
      reading = read(next)
      // Its failure is thrown where it is waited for.
      reading.catch(() => undefined)
      for (let at = 0; at < length; at += PIECE) yield full.subarray(at, Math.min(at + PIECE, length))
      ;[full, next] = [next, full]
    }
  } finally {
    // A caller that leaves early must not close the file under a read.
    await reading.catch(() => undefined)
  }
}
