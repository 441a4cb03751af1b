// What goes with an image that is pushed: the attestations that its index names, and what refers to it. Only with the
// image as it was: what was signed or attested is a digest.
import { DhowError } from "../../../lib/errors.ts"
import type { Digest } from "../../../oci/digest.ts"
import { type Manifest, MEDIA_TYPE } from "../../../oci/manifest.ts"
import { type ImagesContext, shortId } from "../context.ts"
import { DOCUMENT_LIMIT } from "../limits.ts"
import type { PushTo } from "./image.ts"

const DEPTH_LIMIT = 2

type Context = Pick<ImagesContext, "content" | "blobPlaces" | "referrers">
type Artifact = { readonly bytes: Uint8Array; readonly mediaType: string; readonly manifest: Manifest }

/** Whether a manifest is here with everything in it. */
export async function isArtifactHere(context: Context, digest: Digest): Promise<boolean> {
  if (!context.content.has(digest)) return false
  const { manifest } = await read(context, digest)
  return [manifest.config, ...(manifest.layers ?? [])].every((blob) => context.content.has(blob.digest))
}

/** By its digest alone. */
export async function pushArtifact(context: Context, digest: Digest, to: PushTo): Promise<void> {
  const { bytes, mediaType } = await sendBlobs(context, digest, to)
  await to.repository.putManifest(digest, { bytes, mediaType }, { signal: to.signal })
}

/** Everything that is about these manifests, and about what is about them. */
export async function pushReferrers(context: Context, subjects: readonly Digest[], to: PushTo): Promise<void> {
  let next = [...new Set(subjects)]
  for (let depth = 0; depth < DEPTH_LIMIT && next.length > 0; depth++) {
    const found = next.flatMap((subject) => context.referrers.of(subject))
    next = []
    for (const { digest, tag } of found) {
      if (!(await isArtifactHere(context, digest))) continue
      const { bytes, mediaType } = await sendBlobs(context, digest, to)
      const options = { signal: to.signal }
      if (tag === "") await to.repository.putReferrer({ bytes, mediaType }, options)
      else await to.repository.putManifest(tag, { bytes, mediaType }, options)
      to.progress({ status: "Pushed with the image", progressDetail: {}, id: shortId(digest) })
      next.push(digest)
    }
  }
}

async function sendBlobs(context: Context, digest: Digest, to: PushTo): Promise<Artifact> {
  const { lease, repository, signal } = to
  lease.hold(digest)
  const artifact = await read(context, digest)
  const { config, layers = [] } = artifact.manifest
  for (const blob of new Set([config, ...layers].map((one) => one.digest))) {
    lease.hold(blob)
    if (await repository.hasBlob(blob, { signal })) continue
    const size = context.content.stat(blob)?.size
    if (size === undefined) throw new DhowError("internal", `Blob "${blob}" of an artifact is not here`)
    const bytes = () => Bun.file(context.content.path(blob)).stream() as unknown as AsyncIterable<Uint8Array>
    await repository.upload({ bytes, known: { digest: blob, size } }, { signal })
    context.blobPlaces.seen([blob], to)
  }
  return artifact
}

async function read({ content }: Context, digest: Digest): Promise<Artifact> {
  const bytes = await content.read(digest, DOCUMENT_LIMIT)
  const manifest = JSON.parse(Buffer.from(bytes).toString("utf8")) as Manifest
  return { bytes, manifest, mediaType: manifest.mediaType ?? MEDIA_TYPE.ociManifest }
}
