// A large blob in parts, several at once, into a file that outlives the process; read from its beginning while the rest
// still arrives. What was read to its end fits the digest. Where a registry gives no parts it is read in order instead.
import type { Partial as PartialBlob, Segment } from "../../../content/contract.ts"
import { crashpoint } from "../../../lib/crashpoint.ts"
import { DhowError } from "../../../lib/errors.ts"
import { Slots } from "../../../lib/slots.ts"
import type { Descriptor } from "../../../oci/manifest.ts"
import { NoPartsError } from "../../../registry/blobs.ts"
import type { Repository } from "../../../registry/contract.ts"

/** Connections for one blob; and for all blobs together, beyond the one that each has. */
const FOR_ONE_BLOB = 4
const BEYOND_THE_FIRST = 3
/** Below this the first connection is done before a second one has begun. */
const WORTH_SEVERAL = 16 << 20

const further = new Slots(BEYOND_THE_FIRST)

type Blob = Pick<Descriptor, "digest" | "size">
type Source = { readonly repository: Repository; readonly signal: AbortSignal }
type Progress = { at: number; readonly hasher: Bun.CryptoHasher }

export async function* assembled(partial: PartialBlob, blob: Blob, source: Source): AsyncGenerator<Uint8Array> {
  const read: Progress = { at: 0, hasher: new Bun.CryptoHasher("sha256") }
  if (blob.size >= WORTH_SEVERAL && (yield* inParts(partial, blob, { ...source, read }))) return
  yield* inOrder(partial, blob, { ...source, read })
}

/** True when the whole blob was read; false where there are no parts to be had. */
async function* inParts(
  partial: PartialBlob,
  blob: Blob,
  { repository, signal, read }: Source & { readonly read: Progress },
): AsyncGenerator<Uint8Array, boolean> {
  const abort = new AbortController()
  const all = AbortSignal.any([signal, abort.signal])
  const claimed = new Set<Segment>()
  const workers: Promise<void>[] = []
  let failure: { readonly error: unknown } | undefined
  let changed = Promise.withResolvers<void>()
  const tell = (): void => {
    changed.resolve()
    changed = Promise.withResolvers<void>()
  }

  async function fetchParts(): Promise<void> {
    for (let segment = unclaimed(); segment !== undefined; segment = unclaimed()) {
      claimed.add(segment)
      const place = { from: segment.from + segment.filled, to: segment.to }
      for await (const chunk of repository.part(blob, { ...place, signal: all })) {
        await partial.append(segment, chunk)
        crashpoint("images.pull:part-kept")
        tell()
        // The registry gives parts: more connections are worth it.
        while (workers.length < FOR_ONE_BLOB) work(() => further.hold(all, fetchParts))
      }
    }
  }
  const unclaimed = (): Segment | undefined =>
    partial.segments.find((one) => one.from + one.filled < one.to && !claimed.has(one))
  const work = (body: () => Promise<void>): void => {
    const done = body().catch((error: unknown) => {
      failure ??= { error }
      abort.abort(error)
      tell()
    })
    workers.push(done)
  }

  try {
    work(fetchParts)
    while (read.at < blob.size) {
      const here = partial.reaches(read.at)
      const waiting = changed.promise
      if (here > 0) yield* kept(partial, read, read.at + here)
      else if (failure === undefined) await waiting
      else if (failure.error instanceof NoPartsError) return false
      else throw failure.error
    }
    checkDigest(blob, read)
    return true
  } finally {
    abort.abort(new DhowError("cancelled", "The blob is not needed any more"))
    await Promise.all(workers)
  }
}

async function* inOrder(
  partial: PartialBlob,
  blob: Blob,
  { repository, signal, read }: Source & { readonly read: Progress },
): AsyncGenerator<Uint8Array> {
  yield* kept(partial, read, read.at + partial.reaches(read.at))
  const { hasher, at: offset } = read
  for await (const chunk of repository.blob(blob, { start: { offset, hasher }, signal })) {
    await put(partial, read.at, chunk)
    crashpoint("images.pull:part-kept")
    read.at += chunk.length
    yield chunk
  }
}

async function* kept(partial: PartialBlob, read: Progress, to: number): AsyncGenerator<Uint8Array> {
  for await (const chunk of partial.read(read.at, to)) {
    read.hasher.update(chunk)
    read.at += chunk.length
    yield chunk
  }
}

/** Of bytes in order, those that are not here yet. */
async function put(partial: PartialBlob, from: number, bytes: Uint8Array): Promise<void> {
  for (const segment of partial.segments) {
    const next = segment.from + segment.filled
    const first = Math.max(next, from)
    const last = Math.min(segment.to, from + bytes.length)
    if (first === next && last > first) await partial.append(segment, bytes.subarray(first - from, last - from))
  }
}

function checkDigest({ digest }: Blob, { hasher }: Progress): void {
  const found = `sha256:${hasher.digest("hex")}`
  if (found !== digest) throw new DhowError("invalid", `Blob does not match its digest "${digest}": it is "${found}"`)
}
