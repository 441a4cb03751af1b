// Blobs on their way here from other registries: each is fetched once, however many ask, into a file that they read as it
// grows. Nobody gets the last bytes before all of them are known to be right. What a fetch that broke off has brought
// stays for the next one.
import { createReadStream, readdirSync, statSync } from "node:fs"
import { type FileHandle, open } from "node:fs/promises"
import { join } from "node:path"
import type { ContentStore } from "../../content/contract.ts"
import { DhowError, describeError, errnoName, FULL_DISK, isKind } from "../../lib/errors.ts"
import { ensureDirectory, unlinkIfExists } from "../../lib/files.ts"
import { log } from "../../lib/log.ts"
import { type Digest, hexOf } from "../../oci/digest.ts"
import type { Repository } from "../../registry/contract.ts"

const READ_SIZE = 1 << 20
const KEPT_MILLISECONDS = 7 * 24 * 60 * 60 * 1000
const MOST_FETCHES = 16

type Blob = { readonly digest: Digest; readonly size: number }

export type Fetches = ReturnType<typeof openFetches>

export function openFetches(options: {
  readonly content: ContentStore
  readonly directory: string
  readonly limit: () => number
}) {
  const { content, directory, limit } = options
  const running = new Map<Digest, Fetch>()
  ensureDirectory(directory, 0o700)

  return {
    /** `arrived` is called when the blob is in the content store, before a collection could take it. */
    join(blob: Blob, repository: Repository, arrived: () => void): Fetch {
      let fetch = running.get(blob.digest)
      if (fetch === undefined) {
        if (blob.size > limit())
          throw new DhowError("unavailable", `Blob "${blob.digest}" does not fit on the disk`, { hint: FULL_DISK })
        if (running.size >= MOST_FETCHES) throw new DhowError("unavailable", "Too many blobs are being fetched")
        fetch = new Fetch(content, join(directory, hexOf(blob.digest)), blob)
        running.set(blob.digest, fetch)
        void fetch.run(repository).finally(() => running.delete(blob.digest))
      }
      fetch.onArrival(arrived)
      return fetch
    },

    /** Removes what a fetch that nobody repeated has left. */
    sweep(): void {
      for (const name of readdirSync(directory)) {
        const path = join(directory, name)
        if (running.has(`sha256:${name}` as Digest)) continue
        if (statSync(path).mtimeMs < Date.now() - KEPT_MILLISECONDS) unlinkIfExists(path)
      }
    },
  }
}

export class Fetch {
  readonly size: number
  readonly #content: ContentStore
  readonly #path: string
  readonly #blob: Blob
  readonly #arrivals: (() => void)[] = []
  readonly #opened = Promise.withResolvers<void>()
  readonly #over = Promise.withResolvers<void>()
  #written = 0
  #isRight = false
  #failure: { readonly error: unknown } | undefined
  #waiters: (() => void)[] = []

  constructor(content: ContentStore, path: string, blob: Blob) {
    this.#content = content
    this.#path = path
    this.#blob = blob
    this.size = blob.size
    this.#opened.promise.catch(() => undefined)
  }

  onArrival(arrived: () => void): void {
    if (this.#isRight) arrived()
    else this.#arrivals.push(arrived)
  }

  /** Never throws: those who read are told. */
  async run(repository: Repository): Promise<void> {
    try {
      await this.#fetch(repository)
    } catch (error) {
      this.#failure = { error }
      this.#opened.reject(error)
      log.warn("A blob could not be fetched", { digest: this.#blob.digest, error: describeError(error) })
      // Bytes that are wrong are no beginning.
      if (isKind(error, "invalid")) unlinkIfExists(this.#path)
    } finally {
      this.#over.resolve()
      this.#wake()
    }
  }

  async #fetch(repository: Repository): Promise<void> {
    const { digest, size } = this.#blob
    {
      await using file = await open(this.#path, "a+", 0o600)
      const offset = (await file.stat()).size
      const hasher = new Bun.CryptoHasher("sha256")
      if (offset > size) await file.truncate(0)
      else if (offset > 0) for await (const chunk of createReadStream(this.#path)) hasher.update(chunk as Buffer)
      this.#written = offset > size ? 0 : offset
      this.#opened.resolve()
      this.#wake()
      const start = { offset: this.#written, hasher }
      const signal = new AbortController().signal
      for await (const chunk of repository.blob({ digest, size }, { start, signal })) {
        await writeAll(file, chunk)
        this.#written += chunk.length
        this.#wake()
      }
    }
    using lease = this.#content.lease()
    lease.hold(digest)
    if (this.#content.has(digest)) unlinkIfExists(this.#path)
    else await this.#content.adopt(this.#path, { digest, size })
    this.#isRight = true
    for (const arrived of this.#arrivals) arrived()
  }

  async *stream(offset: number): AsyncGenerator<Uint8Array> {
    await this.#opened.promise
    await using file = await this.#open()
    for (let at = offset; at < this.size; ) {
      // One byte is kept back until all are verified: a client must not take wrong ones for a whole answer.
      const end = this.#isRight ? this.size : Math.min(this.#written, this.size - 1)
      if (at < end) {
        const length = Math.min(READ_SIZE, end - at)
        const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(length), 0, length, at)
        at += bytesRead
        yield buffer.subarray(0, bytesRead)
      } else if (this.#failure !== undefined) throw this.#failure.error
      else await new Promise<void>((resolve) => this.#waiters.push(resolve))
    }
  }

  /** The file keeps its bytes while it is open; it may be moved into the content store before it is. */
  async #open(): Promise<FileHandle> {
    try {
      return await open(this.#path, "r")
    } catch (error) {
      if (this.#failure === undefined && errnoName(error) !== "ENOENT") throw error
      // It was moved a moment ago, or taken away: the content store knows of it only when it is durable there.
      await this.#over.promise
      if (this.#failure !== undefined) throw this.#failure.error
      return await open(this.#content.path(this.#blob.digest), "r")
    }
  }

  #wake(): void {
    const waiters = this.#waiters
    this.#waiters = []
    for (const resolve of waiters) resolve()
  }
}

async function writeAll(file: FileHandle, chunk: Uint8Array): Promise<void> {
  for (let at = 0; at < chunk.length; ) at += (await file.write(chunk, at, chunk.length - at)).bytesWritten
}
