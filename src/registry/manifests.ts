// Manifests: fetched by tag or digest, believed only when the digest fits.
import { DhowError, isKind } from "../lib/errors.ts"
import { type Digest, digestOf, isDigest } from "../oci/digest.ts"
import { MEDIA_TYPE } from "../oci/manifest.ts"
import type { FetchedManifest } from "./contract.ts"
import type { Answer } from "./exchange.ts"
import { readBytes } from "./read.ts"
import type { Session } from "./session.ts"

const LIMIT = 8 << 20
const ACCEPT = [
  MEDIA_TYPE.ociIndex,
  MEDIA_TYPE.ociManifest,
  MEDIA_TYPE.dockerManifestList,
  MEDIA_TYPE.dockerManifest,
].join(", ")

type Options = { readonly signal: AbortSignal }

export async function headManifest(session: Session, reference: string, options: Options): Promise<Digest | undefined> {
  const at = `manifests/${reference}`
  const answer = await session.send({ method: "HEAD", at, headers: { Accept: ACCEPT }, expect: [200], ...options })
  await answer.discard()
  const digest = answer.headers.get("docker-content-digest")
  return digest !== null && isDigest(digest) ? digest : undefined
}

export async function fetchManifest(session: Session, reference: string, options: Options): Promise<FetchedManifest> {
  const at = `manifests/${reference}`
  const answer = await session.send({ method: "GET", at, headers: { Accept: ACCEPT }, expect: [200], ...options })
  const bytes = await readBytes(answer, LIMIT)
  const digest = digestOf(bytes)
  const promised = isDigest(reference) ? reference : answer.headers.get("docker-content-digest")
  if (promised !== null && isDigest(promised) && promised !== digest)
    throw new DhowError("invalid", `Manifest does not match its digest "${promised}": it is "${digest}"`)
  return { bytes, digest, mediaType: mediaTypeOf(bytes, answer) }
}

/** What the manifest says of itself; older ones say nothing, and then the header counts. */
function mediaTypeOf(bytes: Uint8Array, { headers, url }: Answer): string {
  let value: unknown
  try {
    value = JSON.parse(Buffer.from(bytes).toString("utf8"))
  } catch (cause) {
    throw new DhowError("invalid", `Registry "${url.host}" sent a manifest that is not JSON`, { cause })
  }
  const { mediaType, manifests } = (value ?? {}) as { mediaType?: unknown; manifests?: unknown }
  if (typeof mediaType === "string" && mediaType !== "") return mediaType
  const type = headers.get("content-type")?.split(";")[0]?.trim().toLowerCase() ?? ""
  if (type.startsWith("application/vnd.")) return type
  return Array.isArray(manifests) ? MEDIA_TYPE.ociIndex : MEDIA_TYPE.ociManifest
}

type Sending = Pick<FetchedManifest, "bytes" | "mediaType"> & Options

export async function storeManifest(session: Session, reference: string, sending: Sending): Promise<Digest> {
  await sendManifest(session, reference, sending)
  return digestOf(sending.bytes)
}

/** The registry's answer, whose headers say what it made of it. */
export async function sendManifest(
  session: Session,
  reference: string,
  { bytes, mediaType, signal }: Sending,
): Promise<Pick<Answer, "headers">> {
  const headers = { "Content-Type": mediaType, "Content-Length": String(bytes.length) }
  const at = `manifests/${reference}`
  const answer = await session.send({ method: "PUT", at, headers, body: bytes, expect: [201, 202, 200], signal })
  await answer.discard()
  const digest = digestOf(bytes)
  const said = answer.headers.get("docker-content-digest")
  if (said !== null && said !== digest && isDigest(said))
    throw new DhowError("unavailable", `Registry stored the manifest "${digest}" as something else: "${said}"`)
  return answer
}

export async function orUndefined<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work
  } catch (error) {
    if (isKind(error, "not-found")) return undefined
    throw error
  }
}
