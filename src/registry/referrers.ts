// Manifests about another one, going out: a registry that keeps the list itself says so, for the others it is a tag
// (OCI distribution-spec, "Pushing Manifests with Subject").
import { DhowError, isKind } from "../lib/errors.ts"
import { type Digest, digestOf, hexOf } from "../oci/digest.ts"
import { type Descriptor, type Manifest, MEDIA_TYPE } from "../oci/manifest.ts"
import type { FetchedManifest } from "./contract.ts"
import { fetchManifest, sendManifest, storeManifest } from "./manifests.ts"
import type { Session } from "./session.ts"

type Options = { readonly signal: AbortSignal }

export async function storeReferrer(
  session: Session,
  { bytes, mediaType }: Pick<FetchedManifest, "bytes" | "mediaType">,
  options: Options,
): Promise<void> {
  const digest = digestOf(bytes)
  const manifest = JSON.parse(Buffer.from(bytes).toString("utf8")) as Manifest
  const subject = manifest.subject?.digest
  const answer = await sendManifest(session, digest, { bytes, mediaType, ...options })
  if (subject === undefined || answer.headers.get("oci-subject") === subject) return
  const { annotations, config } = manifest
  const artifactType = manifest.artifactType ?? config.mediaType
  const entry = { mediaType, digest, size: bytes.length, artifactType, ...(annotations ? { annotations } : {}) }
  await addToTag(session, subject, { entry, ...options })
}

async function addToTag(
  session: Session,
  subject: Digest,
  { entry, signal }: Options & { readonly entry: Descriptor },
): Promise<void> {
  const tag = `sha256-${hexOf(subject)}`
  const known = await listedAt(session, tag, { signal })
  if (known.some(({ digest }) => digest === entry.digest)) return
  const mediaType = MEDIA_TYPE.ociIndex
  const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType, manifests: [...known, entry] }))
  await storeManifest(session, tag, { bytes, mediaType, signal })
}

async function listedAt(session: Session, tag: string, options: Options): Promise<readonly Descriptor[]> {
  try {
    const { bytes } = await fetchManifest(session, tag, options)
    const { manifests } = JSON.parse(Buffer.from(bytes).toString("utf8")) as { manifests?: unknown }
    if (!Array.isArray(manifests)) throw new DhowError("conflict", `Tag "${tag}" is no list of referrers`)
    return manifests as Descriptor[]
  } catch (error) {
    if (isKind(error, "not-found")) return []
    throw error
  }
}
