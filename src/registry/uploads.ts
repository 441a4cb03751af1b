// Blobs going out: in one stream where the registry takes it, in chunks that say where they belong where it prefers them
// or where a stream broke. What a registry kept of a broken upload is not sent again; what it forgot begins anew.
import { DhowError, isKind } from "../lib/errors.ts"
import type { Digest } from "../oci/digest.ts"
import { RefusedError } from "./answer-error.ts"
import { ConnectionError } from "./connection-error.ts"
import type { Uploaded, UploadSource } from "./contract.ts"
import { type Answer, parseLocation } from "./exchange.ts"
import { limited, type RateLimit } from "./rate-limit.ts"
import { delayBefore, isWorthRetrying, pause } from "./retry.ts"
import type { Session } from "./session.ts"

const BYTES = "application/octet-stream"
const EMPTY = { body: new Uint8Array(0), headers: { "Content-Length": "0" } } as const
/** Held in memory until the registry has taken it. */
const CHUNK = 8 << 20
const MOST_CHUNK = 64 << 20

/** An upload under way: where it goes on, and what is there. */
type Place = { readonly location: URL; readonly offset: number; readonly least?: number }
type Options = { readonly limit: RateLimit | undefined; readonly signal: AbortSignal }

export async function upload(session: Session, source: UploadSource, options: Options): Promise<Uploaded> {
  const { signal } = options
  let inOneStream = true
  let kept: Place | undefined
  for (let attempt = 0; ; attempt++) {
    let place: Place | undefined
    try {
      place = kept ?? (await begin(session, signal))
      kept = undefined
      if (inOneStream && place.least === undefined) return await streamed(session, place, { ...options, source })
      return await chunked(session, place, { ...options, source })
    } catch (error) {
      if (place !== undefined && isKind(error, "invalid")) await cancel(session, place)
      if (attempt + 1 >= session.pace.tries || !(isWorthRetrying(error) || isOfChunks(error))) throw error
      await pause(delayBefore(attempt, session.pace)!, signal)
      inOneStream = false
      if (place !== undefined) kept = await whereIs(session, place, signal)
    }
  }
}

export async function mount(
  session: Session,
  digest: Digest,
  { from, signal }: { readonly from: string; readonly signal: AbortSignal },
): Promise<boolean> {
  const at = `blobs/uploads/?mount=${encodeURIComponent(digest)}&from=${encodeURIComponent(from)}`
  const answer = await session.send({ method: "POST", at, expect: [201, 202], alsoFrom: from, ...EMPTY, signal })
  await answer.discard()
  if (answer.status === 201) return true
  // What it began instead is not needed.
  if (answer.headers.has("location")) await cancel(session, { location: locationOf(answer), offset: 0 })
  return false
}

async function begin(session: Session, signal: AbortSignal): Promise<Place> {
  const answer = await session.send({ method: "POST", at: "blobs/uploads/", expect: [202], ...EMPTY, signal })
  await answer.discard()
  const least = Number(answer.headers.get("oci-chunk-min-length") ?? Number.NaN)
  return {
    location: locationOf(answer),
    offset: 0,
    ...(least > 0 && least <= MOST_CHUNK ? { least } : {}),
  }
}

type Sending = Options & { readonly source: UploadSource }

async function streamed(session: Session, { location }: Place, { source, limit, signal }: Sending): Promise<Uploaded> {
  const { known } = source
  if (known !== undefined) {
    const headers = { "Content-Type": BYTES, "Content-Length": String(known.size) }
    const at = finishing(location, known.digest)
    const body = () => limited(source.bytes(), limit, signal)
    const done = await session.send({ method: "PUT", at, headers, body, expect: [201, 204], tries: 1, signal })
    await done.discard()
    return known
  }
  let sum = new Sum()
  async function* body(): AsyncGenerator<Uint8Array> {
    // Asked for again when the first try needed a token.
    sum = new Sum()
    for await (const chunk of limited(source.bytes(), limit, signal)) {
      sum.add(chunk)
      yield chunk
    }
  }
  const headers = { "Content-Type": BYTES }
  const expect = [202, 201, 204]
  const sent = await session.send({ method: "PATCH", at: location, headers, body, expect, tries: 1, signal })
  await sent.discard()
  return await finish(session, locationOf(sent), { done: sum.done(source), signal })
}

async function chunked(session: Session, begun: Place, { source, limit, signal }: Sending): Promise<Uploaded> {
  const sum = new Sum()
  let place = begun
  for await (const chunk of blocks(source.bytes(), Math.max(begun.least ?? 0, CHUNK))) {
    const from = sum.size
    sum.add(chunk)
    while (place.offset < sum.size) {
      const rest = chunk.subarray(place.offset - from)
      await limit?.take(rest.length, signal)
      place = await sendChunk(session, place, { chunk: rest, from, signal })
    }
  }
  return await finish(session, place.location, { done: sum.done(source), signal })
}

/** Where the upload stands afterwards. What broke is asked about; a registry that lost bytes begins anew. */
async function sendChunk(
  session: Session,
  place: Place,
  { chunk, from, signal }: { readonly chunk: Uint8Array; readonly from: number; readonly signal: AbortSignal },
): Promise<Place> {
  const { location: at, offset } = place
  const headers = {
    "Content-Type": BYTES,
    "Content-Length": String(chunk.length),
    "Content-Range": `${offset}-${offset + chunk.length - 1}`,
  }
  for (let attempt = 0; ; attempt++)
    try {
      const expect = [202, 201, 204]
      const answer = await session.send({ method: "PATCH", at, headers, body: chunk, expect, tries: 1, signal })
      await answer.discard()
      return { location: locationOf(answer), offset: rangeEnd(answer) ?? offset + chunk.length }
    } catch (error) {
      const isMisplaced = error instanceof RefusedError && error.status === 416
      if (attempt + 1 >= session.pace.tries || !(isMisplaced || isWorthRetrying(error))) throw error
      await pause(delayBefore(attempt, session.pace)!, signal)
      const now = await whereIs(session, place, signal)
      if (now === undefined || now.offset < from || now.offset > offset + chunk.length)
        throw new ConnectionError(`Registry "${session.endpoint.host}" lost a part of the upload`, false)
      if (now.offset !== offset || isMisplaced) return now
    }
}

/** Undefined where the registry does not know, or does not say: then it begins anew. */
async function whereIs(session: Session, { location }: Place, signal: AbortSignal): Promise<Place | undefined> {
  try {
    const answer = await session.send({ method: "GET", at: location, expect: [204, 200, 202], tries: 1, signal })
    await answer.discard()
    const offset = rangeEnd(answer)
    if (offset === undefined) return undefined
    return { location: answer.headers.has("location") ? locationOf(answer) : location, offset }
  } catch (error) {
    if (signal.aborted) throw error
    return undefined
  }
}

async function finish(
  session: Session,
  location: URL,
  { done, signal }: { readonly done: Uploaded; readonly signal: AbortSignal },
): Promise<Uploaded> {
  const at = finishing(location, done.digest)
  const answer = await session.send({ method: "PUT", at, ...EMPTY, expect: [201, 204], tries: 1, signal })
  await answer.discard()
  return done
}

/** Best effort: a registry clears uploads away that nobody finishes. */
async function cancel(session: Session, { location: at }: Place): Promise<void> {
  const signal = AbortSignal.timeout(5000)
  await session
    .send({ method: "DELETE", at, expect: [204, 202, 200, 404], tries: 1, signal })
    .then((answer) => answer.discard())
    .catch(() => undefined)
}

class Sum {
  readonly #hasher = new Bun.CryptoHasher("sha256")
  size = 0

  add(chunk: Uint8Array): void {
    this.#hasher.update(chunk)
    this.size += chunk.length
  }

  /** What was sent; throws where it is not what the source promised, before the registry keeps it. */
  done({ known, expect = known }: UploadSource): Uploaded {
    const digest = `sha256:${this.#hasher.digest("hex")}` as Digest
    if (expect !== undefined && expect.digest !== digest)
      throw new DhowError("invalid", `Bytes to upload do not match the digest "${expect.digest}": they are "${digest}"`)
    return { digest, size: this.size }
  }
}

/** Blocks of equal length, the last one shorter; each is memory of its own. */
async function* blocks(source: AsyncIterable<Uint8Array>, length: number): AsyncGenerator<Uint8Array> {
  let block = Buffer.allocUnsafe(length)
  let filled = 0
  for await (const chunk of source)
    for (let at = 0; at < chunk.length; ) {
      const part = chunk.subarray(at, at + length - filled)
      block.set(part, filled)
      filled += part.length
      at += part.length
      if (filled < length) continue
      yield block
      block = Buffer.allocUnsafe(length)
      filled = 0
    }
  if (filled > 0) yield block.subarray(0, filled)
}

/** What may go through in smaller pieces, or from the start. */
function isOfChunks(error: unknown): boolean {
  return (
    error instanceof RefusedError && (error.status === 411 || error.status === 413 || /^BLOB_UPLOAD_/.test(error.code))
  )
}

/** Range: 0-99 means 100 bytes; 0-0 is what most say of none. */
function rangeEnd(answer: Answer): number | undefined {
  const last = /^(?:bytes=)?0-(\d+)$/.exec(answer.headers.get("range") ?? "")?.[1]
  if (last === undefined) return undefined
  return Number(last) === 0 ? 0 : Number(last) + 1
}

function locationOf(answer: Answer): URL {
  const location = answer.headers.get("location")
  if (location === null)
    throw new DhowError("unavailable", `Registry "${answer.url.host}" does not say where to upload to`)
  return parseLocation(location, answer.url)
}

function finishing(location: URL, digest: Digest): URL {
  const url = new URL(location)
  url.searchParams.set("digest", digest)
  return url
}
