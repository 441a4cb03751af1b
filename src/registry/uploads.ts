// Blobs going out. What is known beforehand goes in one request; what is made on the way is streamed in chunks and named
// at the end. An upload that broke begins anew: how much of it a registry has kept differs from one to the next.
import { DhowError } from "../lib/errors.ts"
import type { Digest } from "../oci/digest.ts"
import type { Uploaded, UploadSource } from "./contract.ts"
import { type Answer, parseLocation } from "./exchange.ts"
import { delayBefore, isWorthRetrying, pause } from "./retry.ts"
import type { Session } from "./session.ts"

const BYTES = "application/octet-stream"

export async function upload(session: Session, source: UploadSource, signal: AbortSignal): Promise<Uploaded> {
  for (let attempt = 0; ; attempt++) {
    try {
      const begun = await session.send({ method: "POST", at: "blobs/uploads/", expect: [202], ...EMPTY, signal })
      await begun.discard()
      return await (source.known === undefined
        ? streamed(session, begun, { source, signal })
        : whole(session, begun, { ...source, known: source.known, signal }))
    } catch (error) {
      if (attempt + 1 >= session.pace.tries || !isWorthRetrying(error)) throw error
      await pause(delayBefore(attempt, session.pace)!, signal)
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
  return answer.status === 201
}

const EMPTY = { body: new Uint8Array(0), headers: { "Content-Length": "0" } } as const

async function whole(
  session: Session,
  begun: Answer,
  { bytes, known, signal }: UploadSource & { readonly known: Uploaded; readonly signal: AbortSignal },
): Promise<Uploaded> {
  const headers = { "Content-Type": BYTES, "Content-Length": String(known.size) }
  const at = finishing(begun, known.digest)
  const done = await session.send({ method: "PUT", at, headers, body: bytes, expect: [201, 204], tries: 1, signal })
  await done.discard()
  return known
}

async function streamed(
  session: Session,
  begun: Answer,
  { source, signal }: { readonly source: UploadSource; readonly signal: AbortSignal },
): Promise<Uploaded> {
  let hasher = new Bun.CryptoHasher("sha256")
  let size = 0
  async function* body(): AsyncGenerator<Uint8Array> {
    // Asked for again when the first try needed a token.
    hasher = new Bun.CryptoHasher("sha256")
    size = 0
    for await (const chunk of source.bytes()) {
      hasher.update(chunk)
      size += chunk.length
      yield chunk
    }
  }
  const headers = { "Content-Type": BYTES }
  const at = locationOf(begun)
  const sent = await session.send({ method: "PATCH", at, headers, body, expect: [202, 201, 204], tries: 1, signal })
  await sent.discard()
  const digest = `sha256:${hasher.digest("hex")}` as Digest
  const done = await session.send({
    method: "PUT",
    at: finishing(sent, digest),
    ...EMPTY,
    expect: [201, 204],
    tries: 1,
    signal,
  })
  await done.discard()
  return { digest, size }
}

function locationOf(answer: Answer): URL {
  const location = answer.headers.get("location")
  if (location === null)
    throw new DhowError("unavailable", `Registry "${answer.url.host}" does not say where to upload to`)
  return parseLocation(location, answer.url)
}

function finishing(answer: Answer, digest: Digest): URL {
  const url = locationOf(answer)
  url.searchParams.set("digest", digest)
  return url
}
