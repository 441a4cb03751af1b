// From a tag or digest to the manifests of images: one, or one for each platform. Documents come from the content store where they are there: a tag
// that has not moved costs one small question.
import type { Lease } from "../../../content/contract.ts"
import { DhowError } from "../../../lib/errors.ts"
import { type Digest, isDigest } from "../../../oci/digest.ts"
import { type Descriptor, isImageConfigType, type Manifest } from "../../../oci/manifest.ts"
import { formatPlatform, type Platform } from "../../../oci/platform.ts"
import type { Reference } from "../../../oci/reference.ts"
import type { Repository } from "../../../registry/contract.ts"
import type { ImagesContext } from "../context.ts"
import { isCompanion } from "../index-entries.ts"
import { DOCUMENT_LIMIT } from "../limits.ts"
import { isIndex, isManifest, isObject } from "../load/documents.ts"
import { pickManifest } from "./pick-manifest.ts"

const DEPTH_LIMIT = 4
/** Platforms of one name; no image has as many. */
const MOST_IMAGES = 64

export type TargetImage = {
  readonly manifest: Digest
  readonly document: Manifest
  /** What the index says it is for: older images do not say their variant themselves. */
  readonly platform: Platform | undefined
}

export type Target = {
  /** Of what the tag points to: an index, or the manifest itself. */
  readonly target: Digest
  readonly images: readonly TargetImage[]
  /** Attestations of these images, which the index names beside them. */
  readonly attestations: readonly Descriptor[]
  /** Platforms that cannot be kept here. */
  readonly skipped: readonly string[]
}

export type Place = {
  readonly repository: Repository
  /** Its name. */
  readonly place: Pick<Reference, "domain" | "path">
  readonly lease: Lease
  readonly signal: AbortSignal
}
type Context = Pick<ImagesContext, "content">

export async function fetchTarget(
  context: Context,
  options: Place & {
    readonly asked: string
    readonly platform: Platform | undefined
    readonly compatible: boolean
    readonly allPlatforms: boolean
    /** What the name pointed to so far. */
    readonly known: Digest | undefined
  },
): Promise<Target> {
  const { allPlatforms, asked, compatible, known, platform } = options
  const moved = known === undefined ? undefined : await options.repository.head(asked, options)
  const top = await documentOf(context, moved ?? asked, options)
  const images: TargetImage[] = []
  const companions: Descriptor[] = []
  const skipped: string[] = []

  async function walk(at: Document, depth: number, named?: Platform): Promise<void> {
    if (!isIndex(at.value)) {
      if (images.length === MOST_IMAGES)
        throw new DhowError("invalid", `Index "${top.digest}" names more than ${MOST_IMAGES} images`)
      images.push({ manifest: at.digest, document: imageManifest(at.value), platform: named })
      return
    }
    if (depth === DEPTH_LIMIT)
      throw new DhowError("invalid", `Index "${top.digest}" lies more than ${DEPTH_LIMIT} indexes deep`)
    companions.push(...at.value.manifests.filter(isCompanion))
    const chosen = allPlatforms
      ? at.value.manifests.filter((one) => !isCompanion(one))
      : [pickManifest(at.value, platform, { compatible })]
    for (const child of chosen) {
      const os = child.platform?.os
      if (allPlatforms && os !== undefined && os !== "linux") {
        skipped.push(formatPlatform(child.platform!))
        continue
      }
      const document = await documentOf(context, child.digest, options)
      if (document.size !== child.size)
        throw new DhowError(
          "invalid",
          `Manifest "${child.digest}" is ${document.size} bytes, not the ${child.size} expected`,
        )
      await walk(document, depth + 1, child.platform)
    }
  }
  await walk(top, 0)
  const chosen = new Set<string>(images.map(({ manifest }) => manifest))
  const attestations = companions.filter(
    ({ annotations }) => allPlatforms || chosen.has(annotations?.["vnd.docker.reference.digest"] ?? ""),
  )
  return { target: top.digest, images, attestations, skipped }
}

type Document = { readonly digest: Digest; readonly size: number; readonly value: unknown }

async function documentOf({ content }: Context, asked: string, options: Place): Promise<Document> {
  const { repository, lease, signal } = options
  let digest: Digest
  if (isDigest(asked)) {
    lease.hold(asked)
    digest = asked
  }
  if (!isDigest(asked) || !content.has(asked)) {
    const fetched = await repository.manifest(asked, { signal })
    lease.hold(fetched.digest)
    await content.put(fetched.bytes)
    digest = fetched.digest
  }
  const bytes = await content.read(digest!, DOCUMENT_LIMIT)
  return { digest: digest!, size: bytes.length, value: JSON.parse(Buffer.from(bytes).toString("utf8")) }
}

function imageManifest(value: unknown): Manifest {
  const type = isObject(value) ? (value["mediaType"] ?? `schema version ${value["schemaVersion"]}`) : "unknown"
  if (!isManifest(value)) throw new DhowError("invalid", `unsupported media type ${String(type).slice(0, 100)}`)
  const { mediaType } = value.config
  if (!isImageConfigType(mediaType))
    throw new DhowError("invalid", `unsupported media type ${mediaType}: this is an artifact, not an image`)
  return value
}
