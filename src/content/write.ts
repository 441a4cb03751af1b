// Bytes on their way into a file of the store: hashed as they come and written by another thread meanwhile, through two
// buffers that are all the memory it takes, however long the source and whatever pieces it comes in.
import { type FileHandle, open } from "node:fs/promises"
import { DhowError, FULL_DISK } from "../lib/errors.ts"
import type { Digest } from "../oci/digest.ts"
import type { Blob, ContentStore } from "./contract.ts"

export type IngestOptions = Parameters<ContentStore["ingest"]>[1]

/** What one call to the kernel writes. Smaller ones cost more in going to the thread and back than in writing. */
const BUFFER_SIZE = 1 << 20
/** What many small blobs take. */
const FIRST_SIZE = 1 << 14

/** Writes and hashes the source into a new file, which is durable but for its name when this returns. */
export async function writeBlob(
  path: string,
  source: AsyncIterable<Uint8Array>,
  options: IngestOptions,
): Promise<Blob> {
  const { expect = {}, limit = Number.POSITIVE_INFINITY, signal } = options
  const most = Math.min(limit, expect.size ?? Number.POSITIVE_INFINITY)
  const hasher = new Bun.CryptoHasher("sha256")
  let size = 0
  await using file = await open(path, "wx", 0o600)
  await using writer = new Writer(file)
  for await (const chunk of source) {
    if (signal?.aborted === true)
      throw new DhowError("cancelled", "Storing content was cancelled", { cause: signal.reason })
    size += chunk.length
    if (size > limit)
      throw new DhowError("invalid", `Content${named(expect.digest)} is longer than the ${limit} bytes that fit`, {
        hint: FULL_DISK,
      })
    if (size > most)
      throw new DhowError("invalid", `Content${named(expect.digest)} is longer than the ${most} bytes expected`)
    hasher.update(chunk)
    await writer.write(chunk)
  }
  const digest = `sha256:${hasher.digest("hex")}` as Digest
  if (expect.size !== undefined && size !== expect.size)
    throw new DhowError("invalid", `Content${named(expect.digest)} is ${size} bytes, not the ${expect.size} expected`)
  if (expect.digest !== undefined && digest !== expect.digest)
    throw new DhowError("invalid", `Content does not match its digest "${expect.digest}": it is "${digest}"`)
  await writer.flush()
  await file.sync()
  return { digest, size }
}

class Writer implements AsyncDisposable {
  readonly #file: FileHandle
  #filling: Buffer = Buffer.allocUnsafeSlow(FIRST_SIZE)
  #spare: Buffer | undefined
  #used = 0
  #writing: Promise<void> = Promise.resolve()

  constructor(file: FileHandle) {
    this.#file = file
  }

  /** Resolves when the chunk may be used for something else. */
  async write(chunk: Uint8Array): Promise<void> {
    for (let at = 0; at < chunk.length; ) {
      if (this.#used === this.#filling.length) await this.#turn()
      const part = chunk.subarray(at, at + this.#filling.length - this.#used)
      this.#filling.set(part, this.#used)
      this.#used += part.length
      at += part.length
    }
  }

  /** Everything is with the kernel when this returns. */
  async flush(): Promise<void> {
    await this.#turn()
    await this.#writing
  }

  /** Hands the full buffer over as soon as the one before is written. */
  async #turn(): Promise<void> {
    await this.#writing
    const full = this.#filling
    this.#writing = writeAll(this.#file, full.subarray(0, this.#used))
    // Whoever waits next is told of a failure; until then nobody may.
    this.#writing.catch(() => undefined)
    this.#filling = this.#spare ?? Buffer.allocUnsafeSlow(BUFFER_SIZE)
    this.#spare = full.length === BUFFER_SIZE ? full : undefined
    this.#used = 0
  }

  /** The descriptor must not be closed under a thread that writes to it. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#writing.catch(() => undefined)
  }
}

async function writeAll(file: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let offset = 0; offset < bytes.length; )
    offset += (await file.write(bytes, offset, bytes.length - offset)).bytesWritten
}

function named(digest: Digest | undefined): string {
  return digest === undefined ? "" : ` "${digest}"`
}
