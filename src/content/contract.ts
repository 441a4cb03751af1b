// Content: immutable bytes by digest, in content/sha256/<hex>. Bytes are invisible until ingested whole and verified;
// from then on they never change. Nothing here knows what the bytes mean.
import type { Digest } from "../oci/digest.ts"

export type Blob = { readonly digest: Digest; readonly size: number }

export interface ContentStore {
  /** Absolute path of the blob's file, which the caller only reads; throws not-found where there is none. */
  path(digest: Digest): string
  has(digest: Digest): boolean
  stat(digest: Digest): Blob | undefined
  /** The whole blob; refused above `limit` bytes (default 8 MiB), since only manifests and configurations are read so. */
  read(digest: Digest, limit?: number): Promise<Uint8Array>
  /** Stores bytes that are already in memory. Storing what is there already is fine. */
  put(bytes: Uint8Array): Promise<Blob>
  /**
   * Streams bytes to disk, hashing them on the way: file synced, renamed, directory synced, then the row. A blob that is
   * here already keeps its file, which layers share, unless the bytes in it are no longer the blob's.
   * Throws invalid, and keeps nothing, when the digest or size differs from what is expected.
   */
  ingest(
    source: AsyncIterable<Uint8Array>,
    options: {
      readonly expect?: { readonly digest?: Digest; readonly size?: number }
      readonly limit?: number
      readonly signal?: AbortSignal
    },
  ): Promise<Blob>
  /**
   * Takes over a file of the same file system as the blob it is: the caller has hashed its bytes and nobody writes to it
   * any more. Durable, and the file moved from `path`, when this resolves.
   */
  adopt(path: string, blob: Blob): Promise<Blob>
  /**
   * What is here of a blob from a transfer that was cut off, and the place to put more of it. It survives the process, is
   * nothing that can be read under its digest, and is forgotten after a week. One user at a time.
   */
  partial(blob: Blob): Partial
  /**
   * The row at once, the file soon after. Only garbage collection calls this. False, and nothing done, for what put() or ingest() gave
   * within this turn of the loop: whoever asked for it has had no chance to take a lease.
   */
  remove(digest: Digest): boolean
  /** Resolves when the files of what was removed so far are off the disk. */
  settled(): Promise<void>
  list(): IterableIterator<Blob>
  /** Keeps blobs alive until the returned scope is disposed; those of a process that died are dropped by the next one. */
  lease(): Lease
  /** Paths of files that no row names and nobody is writing: the leavings of a crash. */
  strays(): readonly string[]
  /** Removes these, and leases that nobody holds any more. Returns what was removed. */
  sweep(): readonly string[]
}

export interface Lease extends Disposable {
  readonly id: string
  hold(digest: Digest): void
}

/**
 * Parts of a blob. They are no promise: only the digest of the whole tells whether they are right. The blob is divided
 * into segments of equal length, each of which is filled from its beginning.
 */
export interface Partial extends AsyncDisposable {
  readonly segments: readonly Segment[]
  /** Bytes that are here, over all segments. */
  readonly filled: number
  /** How many bytes are here from `at` on without a gap. */
  reaches(at: number): number
  read(from: number, to: number): AsyncIterable<Uint8Array>
  /** Puts bytes where the segment ends so far; never beyond its length. */
  append(segment: Segment, chunk: Uint8Array): Promise<void>
  /** Nothing of it will be needed again. */
  discard(): void
}

export type Segment = { readonly index: number; readonly from: number; readonly to: number; readonly filled: number }
