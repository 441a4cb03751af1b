// Blobs as streams: never longer than said, taken up again where a connection broke, and the whole compared with its
// digest at the end, so that whoever has read to the end has read the truth. A part of one is no more than its place.
import { DhowError } from "../lib/errors.ts"
import type { Digest } from "../oci/digest.ts"
import { RefusedError } from "./answer-error.ts"
import { ConnectionError } from "./connection-error.ts"
import type { BlobPart, BlobStart } from "./contract.ts"
import type { Answer } from "./exchange.ts"
import { delayBefore, isWorthRetrying, pause } from "./retry.ts"
import type { Session } from "./session.ts"

const MOST_CONNECTIONS = 100

type Blob = { readonly digest: Digest; readonly size: number }

/** The registry does not give parts, or others than it was asked for: the blob has to be read from its start. */
export class NoPartsError extends DhowError {
  constructor(host: string) {
    super("unavailable", `Registry "${host}" does not give parts of a blob`)
  }
}

/** `sessions` are tried in turn; whatever one has sent stays. */
export async function* streamBlob(
  sessions: readonly Session[],
  blob: Blob,
  { start, signal }: { readonly start?: BlobStart | undefined; readonly signal: AbortSignal },
): AsyncGenerator<Uint8Array> {
  const hasher = start?.hasher ?? new Bun.CryptoHasher("sha256")
  const place = { from: start?.offset ?? 0, to: blob.size }
  for await (const chunk of persistently(sessions, { blob, place, open: openRest, signal })) {
    hasher.update(chunk)
    yield chunk
  }
  const digest = `sha256:${hasher.digest("hex")}`
  if (digest !== blob.digest)
    throw new DhowError("invalid", `Blob does not match its digest "${blob.digest}": it is "${digest}"`)
}

/** Bytes that nothing has been compared with yet. Throws NoPartsError before the first one, or none. */
export async function* streamPart(
  sessions: readonly Session[],
  blob: Blob,
  { from, to, signal }: BlobPart & { readonly signal: AbortSignal },
): AsyncGenerator<Uint8Array> {
  yield* persistently(sessions, { blob, place: { from, to }, open: openPart, signal })
}

type Opened = { readonly answer: Answer; readonly bytes: AsyncIterable<Uint8Array> }
type Reading = {
  readonly blob: Blob
  readonly place: BlobPart
  readonly open: (session: Session, blob: Blob, at: BlobPart & { readonly signal: AbortSignal }) => Promise<Opened>
  readonly signal: AbortSignal
}

async function* persistently(
  sessions: readonly Session[],
  { blob, place, open, signal }: Reading,
): AsyncGenerator<Uint8Array> {
  let { from: offset } = place
  const { to } = place
  let failures = 0
  let at = 0
  for (let connections = 0; offset < to || (connections === 0 && offset === 0); connections++) {
    const session = sessions[at]!
    try {
      const { bytes } = await open(session, blob, { from: offset, to, signal })
      for await (const chunk of bytes) {
        offset += chunk.length
        if (offset > to)
          throw new DhowError("invalid", `Blob "${blob.digest}" is longer than the ${blob.size} bytes expected`)
        failures = 0
        yield chunk
      }
      if (offset < to)
        throw new ConnectionError(`Blob "${blob.digest}" broke off at ${offset} of ${blob.size} bytes`, false)
    } catch (error) {
      if (signal.aborted || (error instanceof DhowError && error.kind === "invalid")) throw error
      const { pace } = session
      if (isWorthRetrying(error) && ++failures < pace.tries && connections < MOST_CONNECTIONS)
        await pause(delayBefore(failures - 1, pace)!, signal)
      else if (at + 1 < sessions.length) {
        at++
        failures = 0
      } else throw error
    }
  }
}

/** From an offset to the end, also from a registry that always sends the whole. */
async function openRest(
  session: Session,
  blob: Blob,
  { from, signal }: BlobPart & { readonly signal: AbortSignal },
): Promise<Opened> {
  const answer = await session.send({
    method: "GET",
    at: `blobs/${blob.digest}`,
    ...(from === 0 ? {} : { headers: { Range: `bytes=${from}-` } }),
    expect: from === 0 ? [200] : [200, 206],
    tries: 1,
    signal,
  })
  const isPart = answer.status === 206
  if (isPart && !isRange(answer, from, blob)) {
    await answer.discard()
    throw new ConnectionError(`Registry sent another part of the blob "${blob.digest}" than was asked for`, true)
  }
  await checkLength(answer, isPart ? blob.size - from : blob.size, blob)
  return { answer, bytes: isPart ? answer.body : behind(answer.body, from) }
}

/** Exactly one part; a registry that answers anything else gives none. */
async function openPart(
  session: Session,
  blob: Blob,
  { from, to, signal }: BlobPart & { readonly signal: AbortSignal },
): Promise<Opened> {
  const at = `blobs/${blob.digest}`
  const headers = { Range: `bytes=${from}-${to - 1}` }
  const answer = await session
    .send({ method: "GET", at, headers, expect: [200, 206], tries: 1, signal })
    .catch((error: unknown) => {
      throw error instanceof RefusedError && error.status === 416 ? new NoPartsError(session.endpoint.host) : error
    })
  const range = answer.headers.get("content-range")
  const length = answer.headers.get("content-length")
  const isExact = range !== null && isRange(answer, from, blob) && range.includes(`-${to - 1}/`)
  if (answer.status !== 206 || !isExact || (length !== null && Number(length) !== to - from)) {
    await answer.discard()
    throw new NoPartsError(session.endpoint.host)
  }
  return { answer, bytes: answer.body }
}

/** "bytes 0-99/200": the part begins where it should, and is of a blob of that size. */
function isRange(answer: Answer, from: number, { size }: Blob): boolean {
  const range = answer.headers.get("content-range")
  if (range === null) return true
  const [, first, total] = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(range) ?? []
  return Number(first) === from && (total === "*" || Number(total) === size)
}

async function checkLength(answer: Answer, expected: number, blob: Blob): Promise<void> {
  const length = answer.headers.get("content-length")
  if (length === null || Number(length) === expected) return
  await answer.discard()
  throw new DhowError("invalid", `Blob "${blob.digest}" is ${length} bytes, not the ${expected} expected`)
}

async function* behind(body: AsyncIterable<Uint8Array>, offset: number): AsyncGenerator<Uint8Array> {
  let skip = offset
  for await (const chunk of body) {
    if (skip >= chunk.length) skip -= chunk.length
    else {
      yield skip === 0 ? chunk : chunk.subarray(skip)
      skip = 0
    }
  }
}

export async function hasBlob(session: Session, digest: Digest, signal: AbortSignal): Promise<boolean> {
  const answer = await session.send({ method: "HEAD", at: `blobs/${digest}`, expect: [200, 404], signal })
  await answer.discard()
  return answer.status === 200
}
