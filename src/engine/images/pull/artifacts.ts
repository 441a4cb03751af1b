// Manifests that come with an image and are no images: attestations that its index names, and what refers to it. Bounded
// in number and size, and never the reason for which a pull fails: what could not be had is said.
import { DhowError } from "../../../lib/errors.ts"
import { type Digest, hexOf } from "../../../oci/digest.ts"
import { type Descriptor, isImageConfigType, type Manifest } from "../../../oci/manifest.ts"
import type { Progress } from "../../contract.ts"
import { type ImagesContext, shortId } from "../context.ts"
import { DOCUMENT_LIMIT } from "../limits.ts"
import { isManifest } from "../load/documents.ts"
import type { Referrer } from "../referrers.ts"
import type { Place } from "./target.ts"

const MOST_ARTIFACTS = 64
const MOST_BYTES = 64 << 20
/** Signatures are about an image, and now and then about a list of its contents; no further. */
const DEPTH_LIMIT = 2
/** cosign's tags from before registries had lists. */
const TAG_SUFFIXES = [".sig", ".att", ".sbom"]

type Options = Place & { readonly progress: Progress }
type Context = Pick<ImagesContext, "content" | "blobPlaces">

/** Counts down over everything that comes with one image. */
class Room {
  artifacts = MOST_ARTIFACTS
  bytes = MOST_BYTES

  take(digest: Digest, size: number): void {
    this.bytes -= size
    if (!(size >= 0) || this.bytes < 0)
      throw new DhowError("invalid", `"${digest}" is more than the ${MOST_BYTES} bytes that may come with an image`)
  }
}

/** Those of the descriptors that are here when this resolves. */
export async function fetchAttestations(
  context: Context,
  descriptors: readonly Descriptor[],
  options: Options,
): Promise<void> {
  const room = new Room()
  for (const { digest } of descriptors.slice(0, MOST_ARTIFACTS))
    await orSay(options, digest, () => fetchArtifact(context, digest, { ...options, room }))
}

/** What refers to these manifests, by the registry's lists and by tags that are derived from their digests. */
export async function fetchReferrers(
  context: Context,
  subjects: readonly Digest[],
  options: Options,
): Promise<readonly Referrer[]> {
  const room = new Room()
  const found: Referrer[] = []
  let next = [...new Set(subjects)]
  for (let depth = 0; depth < DEPTH_LIMIT && next.length > 0; depth++) {
    const round = (await Promise.all(next.map((subject) => referrersOf(subject, options, depth === 0)))).flat()
    next = []
    for (const referrer of round) {
      if (room.artifacts-- === 0) {
        options.progress({
          status: `More than ${MOST_ARTIFACTS} manifests refer to the image: the others are left out`,
        })
        return found
      }
      const isHere = await orSay(options, referrer.digest, () =>
        fetchArtifact(context, referrer.digest, {
          ...options,
          room,
          about: referrer.tag === "" ? referrer.subject : undefined,
        }),
      )
      if (!isHere) continue
      found.push(referrer)
      next.push(referrer.digest)
    }
  }
  return found
}

async function referrersOf(subject: Digest, options: Options, isImage: boolean): Promise<readonly Referrer[]> {
  const { repository, signal } = options
  let listed: readonly Descriptor[] = []
  await orSay(options, subject, async () => {
    listed = await repository.referrers(subject, { signal })
  })
  const tags = isImage ? TAG_SUFFIXES.map((suffix) => `sha256-${hexOf(subject)}${suffix}`) : []
  const tagged = await Promise.all(
    tags.map(async (tag): Promise<readonly Referrer[]> => {
      const digest = await repository.head(tag, { signal }).catch(() => undefined)
      return digest === undefined ? [] : [{ subject, digest, tag }]
    }),
  )
  return [...listed.map(({ digest }) => ({ subject, digest, tag: "" })), ...tagged.flat()]
}

async function fetchArtifact(
  { content, blobPlaces }: Context,
  digest: Digest,
  { room, about, ...options }: Options & { readonly room: Room; readonly about?: Digest | undefined },
): Promise<void> {
  const { lease, repository, signal } = options
  lease.hold(digest)
  const isKnown = content.has(digest)
  const bytes = isKnown
    ? await content.read(digest, DOCUMENT_LIMIT)
    : (await repository.manifest(digest, { signal })).bytes
  room.take(digest, bytes.length)
  const manifest: unknown = JSON.parse(Buffer.from(bytes).toString("utf8"))
  if (!isManifest(manifest)) throw new DhowError("invalid", `"${digest}" is no manifest of an artifact`)
  if (about !== undefined && manifest.subject?.digest !== about)
    throw new DhowError("invalid", `"${digest}" is listed as about "${about}", and is not`)
  const blobs = new Map([manifest.config, ...manifest.layers].map((one) => [one.digest, one.size]))
  for (const size of blobs.values()) room.take(digest, size)
  for (const [blob, size] of blobs) {
    lease.hold(blob)
    if (content.has(blob)) continue
    const source = repository.blob({ digest: blob, size }, { signal })
    await content.ingest(source, { expect: { digest: blob, size }, signal })
  }
  await checkConfig(content, manifest)
  // The manifest last: while it is here, all of it is.
  if (!isKnown) await content.put(bytes)
  blobPlaces.seen(blobs.keys(), options.place)
}

/** What calls itself the configuration of an image is read as one by whoever looks for layers. */
async function checkConfig(content: Context["content"], { config }: Manifest): Promise<void> {
  if (!isImageConfigType(config.mediaType)) return
  const { rootfs } = JSON.parse(Buffer.from(await content.read(config.digest)).toString("utf8")) ?? {}
  const diffIds: unknown = rootfs?.diff_ids ?? []
  if (!Array.isArray(diffIds) || !diffIds.every((one) => typeof one === "string"))
    throw new DhowError("invalid", `Configuration "${config.digest}" has a list of layers that is none`)
}

async function orSay({ progress, signal }: Options, digest: Digest, body: () => Promise<void>): Promise<boolean> {
  try {
    await body()
    return true
  } catch (error) {
    if (signal.aborted) throw error
    const reason = error instanceof Error ? error.message : String(error)
    progress({ status: `Left out: what comes with the image could not be had: ${reason}`, id: shortId(digest) })
    return false
  }
}
