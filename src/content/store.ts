// The content store on disk. A blob's file name is its digest, so no name from outside ever becomes a path. Order: bytes
// durable under their final name, then the row; so a crash leaves a file for the sweep, never a row without its bytes.
import { randomBytes } from "node:crypto"
import { readdirSync, renameSync, statSync } from "node:fs"
import { open, readFile, unlink } from "node:fs/promises"
import { join } from "node:path"
import { crashpoint } from "../lib/crashpoint.ts"
import { DhowError, describeError, errnoName } from "../lib/errors.ts"
import { ensureDirectory, unlinkIfExists } from "../lib/files.ts"
import { log } from "../lib/log.ts"
import { releaseGarbage } from "../lib/syscalls/memory.ts"
import { type Digest, digestOf, hexOf } from "../oci/digest.ts"
import type { Database } from "../state/database.ts"
import type { Blob, ContentStore, Lease, Partial } from "./contract.ts"
import { isKeptPartial, openPartial, partialName } from "./partial.ts"
import { type IngestOptions, writeBlob } from "./write.ts"

const READ_LIMIT = 8 << 20
const COMPARE_SIZE = 1 << 20
/** From here on, collecting garbage takes little time beside storing. */
const LARGE = 64 << 20
const LEASE_MILLISECONDS = 24 * 60 * 60 * 1000

export function openContentStore(database: Database, directory: string): ContentStore {
  return new DiskContentStore(database, directory)
}

class DiskContentStore implements ContentStore {
  readonly #blobs: string
  readonly #ingests: string
  /** Names of temporary files that a running ingest writes, and of blobs whose row is about to be written. */
  readonly #busy = new Map<string, number>()
  /** What was given to somebody in this turn of the loop. */
  readonly #fresh = new Set<Digest>()
  /** Leases of this process: they last as long as the work does, however slow. */
  readonly #leases = new Set<string>()
  #removals: Promise<void> = Promise.resolve()
  readonly #select
  readonly #insert
  readonly #delete
  readonly #all
  readonly #hold
  readonly #release
  readonly #expire
  readonly #prolong

  constructor(database: Database, directory: string) {
    this.#blobs = join(directory, "sha256")
    this.#ingests = join(directory, "ingest")
    ensureDirectory(directory, 0o700)
    ensureDirectory(this.#blobs, 0o700)
    ensureDirectory(this.#ingests, 0o700)
    this.#select = database.query<Blob, { digest: string }>("SELECT digest, size FROM blobs WHERE digest = $digest")
    this.#insert = database.query<never, { digest: string; size: number; now: number }>(
      "INSERT OR IGNORE INTO blobs (digest, size, created_at) VALUES ($digest, $size, $now)",
    )
    this.#delete = database.query<never, { digest: string }>("DELETE FROM blobs WHERE digest = $digest")
    this.#all = database.query<Blob, Record<string, never>>("SELECT digest, size FROM blobs ORDER BY digest")
    this.#hold = database.query<never, { id: string; digest: string; expires: number }>(
      "INSERT OR REPLACE INTO leases (id, digest, expires_at) VALUES ($id, $digest, $expires)",
    )
    this.#release = database.query<never, { id: string }>("DELETE FROM leases WHERE id = $id")
    this.#prolong = database.query<never, { id: string; expires: number }>(
      "UPDATE leases SET expires_at = $expires WHERE id = $id",
    )
    this.#expire = database.query<never, { now: number }>("DELETE FROM leases WHERE expires_at <= $now")
  }

  path(digest: Digest): string {
    if (!this.has(digest)) throw new DhowError("not-found", `No content with digest "${digest}"`)
    return this.#file(digest)
  }

  has(digest: Digest): boolean {
    return this.stat(digest) !== undefined
  }

  stat(digest: Digest): Blob | undefined {
    return this.#select.get({ digest }) ?? undefined
  }

  async read(digest: Digest, limit = READ_LIMIT): Promise<Uint8Array> {
    const blob = this.stat(digest)
    if (blob === undefined) throw new DhowError("not-found", `No content with digest "${digest}"`)
    if (blob.size > limit)
      throw new DhowError("invalid", `Content "${digest}" is ${blob.size} bytes, more than the ${limit} allowed here`)
    return await readFile(this.#file(digest))
  }

  async put(bytes: Uint8Array): Promise<Blob> {
    const present = this.stat(digestOf(bytes))
    if (present !== undefined) {
      this.#given(present.digest)
      return present
    }
    async function* once(): AsyncGenerator<Uint8Array> {
      yield bytes
    }
    return await this.ingest(once(), {})
  }

  async ingest(source: AsyncIterable<Uint8Array>, options: IngestOptions): Promise<Blob> {
    const name = randomBytes(12).toString("hex")
    const temporary = join(this.#ingests, name)
    using _ingest = this.#keep(name)
    try {
      const blob = await this.#commit(temporary, await writeBlob(temporary, source, options))
      // The pieces that it came in are garbage now, and what follows (making a layer of it) needs memory of its own.
      if (blob.size >= LARGE) releaseGarbage()
      return blob
    } catch (error) {
      unlinkIfExists(temporary)
      throw error
    }
  }

  async adopt(path: string, blob: Blob): Promise<Blob> {
    {
      await using file = await open(path, "r+")
      const { size } = await file.stat()
      if (size !== blob.size)
        throw new DhowError("internal", `Content "${blob.digest}" is ${size} bytes, not the ${blob.size} expected`)
      await file.sync()
    }
    return await this.#commit(path, blob)
  }

  /** The one way in: a durable file gets its final name, then its row. */
  async #commit(path: string, blob: Blob): Promise<Blob> {
    crashpoint("content.ingest:before-rename")
    using _commit = this.#keep(hexOf(blob.digest))
    const place = this.#file(blob.digest)
    // A file that is right stays: what was made of it may be other names of that very file.
    if (this.has(blob.digest) && (await haveSameBytes(path, place))) unlinkIfExists(path)
    else renameSync(path, place)
    await syncDirectory(this.#blobs)
    crashpoint("content.ingest:before-row")
    this.#insert.run({ digest: blob.digest, size: blob.size, now: Date.now() })
    this.#given(blob.digest)
    return blob
  }

  partial(blob: Blob): Partial {
    const name = partialName(blob.digest)
    return openPartial(join(this.#ingests, name), blob.size, this.#keep(name))
  }

  remove(digest: Digest): boolean {
    if (this.#fresh.has(digest)) return false
    this.#delete.run({ digest })
    crashpoint("content.remove:before-file")
    this.#removals = this.#removals.then(() => this.#discard(digest))
    return true
  }

  settled(): Promise<void> {
    return this.#removals
  }

  /** Freeing the blocks of a large file takes a while, which is why it gets another name first and nobody waits. */
  async #discard(digest: Digest): Promise<void> {
    // The same bytes have come again, or are about to: their row is, or will be, true.
    if (this.has(digest) || this.#busy.has(hexOf(digest))) return
    const name = `removed-${randomBytes(12).toString("hex")}`
    using _removal = this.#keep(name)
    try {
      renameSync(this.#file(digest), join(this.#ingests, name))
      crashpoint("content.remove:before-unlink")
      await unlink(join(this.#ingests, name))
    } catch (error) {
      if (errnoName(error) !== "ENOENT")
        log.warn("Cannot delete a blob; the next start tries again", { digest, error: String(error) })
    }
  }

  *list(): IterableIterator<Blob> {
    yield* this.#all.all({})
  }

  lease(): Lease {
    const id = randomBytes(12).toString("hex")
    this.#leases.add(id)
    return {
      id,
      hold: (digest) => {
        this.#hold.run({ id, digest, expires: Date.now() + LEASE_MILLISECONDS })
      },
      [Symbol.dispose]: () => {
        this.#leases.delete(id)
        try {
          this.#release.run({ id })
        } catch (error) {
          // On a full disk. It ends by itself, and what went wrong inside its scope must not be hidden by this.
          log.warn("A lease stays until it expires", { lease: id, error: describeError(error) })
        }
      },
    }
  }

  strays(): readonly string[] {
    const found: string[] = []
    for (const name of readdirSync(this.#ingests)) {
      const path = join(this.#ingests, name)
      if (!this.#busy.has(name) && !isKeptPartial(name, path)) found.push(path)
    }
    for (const name of readdirSync(this.#blobs)) {
      if (this.#busy.has(name) || this.has(`sha256:${name}` as Digest)) continue
      found.push(join(this.#blobs, name))
    }
    return found
  }

  sweep(): readonly string[] {
    this.#expireLeases()
    const removed = this.strays()
    for (const path of removed) if (statSync(path).isFile()) unlinkIfExists(path)
    return removed
  }

  #given(digest: Digest): void {
    if (this.#fresh.size === 0) setImmediate(() => this.#fresh.clear())
    this.#fresh.add(digest)
  }

  /** Drops leases that were never given back, and prolongs those that work still holds. */
  #expireLeases(): void {
    const now = Date.now()
    for (const id of this.#leases) this.#prolong.run({ id, expires: now + LEASE_MILLISECONDS })
    this.#expire.run({ now })
  }

  #file(digest: Digest): string {
    return join(this.#blobs, hexOf(digest))
  }

  /** Marks a name as in use until the scope ends; scopes of the same name may overlap. */
  #keep(name: string): Disposable {
    this.#busy.set(name, (this.#busy.get(name) ?? 0) + 1)
    return {
      [Symbol.dispose]: () => {
        const others = this.#busy.get(name)! - 1
        if (others > 0) this.#busy.set(name, others)
        else this.#busy.delete(name)
      },
    }
  }
}

/** False also where there is no second file. */
async function haveSameBytes(one: string, two: string): Promise<boolean> {
  const { size } = statSync(one)
  if (statSync(two, { throwIfNoEntry: false })?.size !== size) return false
  await using a = await open(one, "r")
  await using b = await open(two, "r")
  const [left, right] = [Buffer.allocUnsafe(COMPARE_SIZE), Buffer.allocUnsafe(COMPARE_SIZE)]
  for (let at = 0; at < size; ) {
    const { bytesRead } = await a.read(left, 0, COMPARE_SIZE, at)
    await b.read(right, 0, bytesRead, at)
    if (bytesRead === 0 || left.compare(right, 0, bytesRead, 0, bytesRead) !== 0) return false
    at += bytesRead
  }
  return true
}

async function syncDirectory(path: string): Promise<void> {
  await using directory = await open(path, "r")
  await directory.sync()
}
