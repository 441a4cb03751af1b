// Blobs as streams: never longer than said, taken up again where a connection broke, and compared with their digest at
// the end, so that whoever has read to the end has read the truth.
import { DhowError } from "../lib/errors.ts"
import type { Digest } from "../oci/digest.ts"
import type { BlobStart } from "./contract.ts"
import { type Answer, ConnectionError } from "./exchange.ts"
import { delayBefore, isWorthRetrying, pause } from "./retry.ts"
import type { Session } from "./session.ts"

const MOST_CONNECTIONS = 100

type Blob = { readonly digest: Digest; readonly size: number }

/** `sessions` are tried in turn; whatever one has sent stays. */
export async function* streamBlob(
  sessions: readonly Session[],
  blob: Blob,
  { start, signal }: { readonly start?: BlobStart | undefined; readonly signal: AbortSignal },
): AsyncGenerator<Uint8Array> {
  const hasher = start?.hasher ?? new Bun.CryptoHasher("sha256")
  let offset = start?.offset ?? 0
  let failures = 0
  let at = 0
  for (let connections = 0; offset < blob.size || (connections === 0 && offset === 0); connections++) {
    const session = sessions[at]!
    try {
      const answer = await session.send({
        method: "GET",
        at: `blobs/${blob.digest}`,
        ...(offset === 0 ? {} : { headers: { Range: `bytes=${offset}-` } }),
        expect: offset === 0 ? [200] : [200, 206],
        tries: 1,
        signal,
      })
      for await (const chunk of behind(answer, blob, offset)) {
        offset += chunk.length
        if (offset > blob.size)
          throw new DhowError("invalid", `Blob "${blob.digest}" is longer than the ${blob.size} bytes expected`)
        failures = 0
        hasher.update(chunk)
        yield chunk
      }
      if (offset < blob.size)
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
  const digest = `sha256:${hasher.digest("hex")}`
  if (digest !== blob.digest)
    throw new DhowError("invalid", `Blob does not match its digest "${blob.digest}": it is "${digest}"`)
}

/** The body from `offset` on, also from a registry that always sends the whole. */
async function* behind(answer: Answer, blob: Blob, offset: number): AsyncGenerator<Uint8Array> {
  const isPart = answer.status === 206
  const length = answer.headers.get("content-length")
  const expected = isPart ? blob.size - offset : blob.size
  const range = answer.headers.get("content-range")
  if (isPart && range !== null && !range.startsWith(`bytes ${offset}-`)) {
    await answer.discard()
    throw new ConnectionError(`Registry sent another part of the blob "${blob.digest}" than was asked for`, true)
  }
  if (length !== null && Number(length) !== expected) {
    await answer.discard()
    throw new DhowError("invalid", `Blob "${blob.digest}" is ${length} bytes, not the ${expected} expected`)
  }
  let skip = isPart ? 0 : offset
  for await (const chunk of answer.body) {
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
