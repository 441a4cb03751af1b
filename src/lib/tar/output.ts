// Writes a tar archive to a descriptor, synchronously: for a process that does nothing else. Memory stays at one buffer,
// and a file that changes while it is read gives as many bytes as its header said.
import { readSync, writeSync } from "node:fs"
import { errnoName } from "../errors.ts"
import { dataStretches, type Stretch } from "../syscalls/read-tree.ts"
import { BLOCK, padded } from "./entry.ts"
import { encodeTarHeader, type TarInput } from "./writer.ts"

const BUFFER = 1 << 20
/** Holes smaller than this in all are not worth a map. */
const WORTH_A_MAP = 64 * 1024

type FileMeta = Omit<TarInput, "content" | "type" | "size" | "sparse"> & { readonly size: number }

export class TarOutput {
  readonly #fd: number
  readonly #buffer = Buffer.allocUnsafeSlow(BUFFER)
  #used = 0

  constructor(fd: number) {
    this.#fd = fd
  }

  /** An entry without content of its own. */
  entry(entry: Omit<TarInput, "content" | "size">): void {
    this.#write(encodeTarHeader({ ...entry, size: 0 }))
  }

  /** A file whose bytes are those of the descriptor `from`. */
  file(entry: FileMeta, from: number): void {
    const { size } = entry
    const stretches = dataStretches(from, size)
    const stored = stretches.reduce((sum, { length }) => sum + length, 0)
    const isSparse = size - stored >= WORTH_A_MAP
    const parts: readonly Stretch[] = isSparse ? stretches : [{ offset: 0, length: size }]
    this.#write(encodeTarHeader({ ...entry, type: "file", ...(isSparse ? { sparse: parts } : {}) }))
    for (const part of parts) this.#copy(from, part)
    this.#pad(isSparse ? stored : size)
  }

  /** A file whose stretches lie at their places `from` in the descriptor; it is sparse where they are not all of it. */
  stored(entry: FileMeta, fd: number, stretches: readonly (Stretch & { readonly from: number })[]): void {
    const stored = stretches.reduce((sum, { length }) => sum + length, 0)
    const map = stretches.map(({ offset, length }) => ({ offset, length }))
    this.#write(encodeTarHeader({ ...entry, type: "file", ...(stored < entry.size ? { sparse: map } : {}) }))
    for (const { from, length } of stretches) this.#copy(fd, { offset: from, length })
    this.#pad(stored)
  }

  end(): void {
    this.#write(Buffer.alloc(2 * BLOCK))
    this.#flush()
  }

  #copy(from: number, { offset, length }: Stretch): void {
    for (let done = 0; done < length; ) {
      if (this.#used === BUFFER) this.#flush()
      const room = Math.min(BUFFER - this.#used, length - done)
      const got = readSync(from, this.#buffer, this.#used, room, offset + done)
      if (got === 0) this.#buffer.fill(0, this.#used, this.#used + room)
      const taken = got === 0 ? room : got
      this.#used += taken
      done += taken
    }
  }

  #pad(size: number): void {
    const rest = padded(size) - size
    if (rest > 0) this.#write(Buffer.alloc(rest))
  }

  #write(bytes: Uint8Array): void {
    for (let done = 0; done < bytes.length; ) {
      if (this.#used === BUFFER) this.#flush()
      const part = bytes.subarray(done, done + BUFFER - this.#used)
      this.#buffer.set(part, this.#used)
      this.#used += part.length
      done += part.length
    }
  }

  #flush(): void {
    for (let at = 0; at < this.#used; ) {
      try {
        at += writeSync(this.#fd, this.#buffer, at, this.#used - at)
      } catch (error) {
        // Whoever made the pipe may have made it non-blocking.
        if (errnoName(error) !== "EAGAIN") throw error
        Bun.sleepSync(1)
      }
    }
    this.#used = 0
  }
}
