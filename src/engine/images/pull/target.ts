// From a tag or digest to the manifest of one image. Documents come from the content store where they are there: a tag
// that has not moved costs one small question.
import type { Lease } from "../../../content/contract.ts"
import { DhowError } from "../../../lib/errors.ts"
import { type Digest, isDigest } from "../../../oci/digest.ts"
import { type ImageIndex, type Manifest, MEDIA_TYPE } from "../../../oci/manifest.ts"
import type { Platform } from "../../../oci/platform.ts"
import type { Repository } from "../../../registry/contract.ts"
import type { ImagesContext } from "../context.ts"
import { DOCUMENT_LIMIT } from "../limits.ts"
import { isIndex, isManifest, isObject } from "../load/documents.ts"
import { pickManifest } from "./pick-manifest.ts"

const DEPTH_LIMIT = 4

export type Target = {
  /** Of what the tag points to: an index, or the manifest itself. */
  readonly target: Digest
  readonly manifest: Digest
  readonly document: Manifest
}

export type Place = { readonly repository: Repository; readonly lease: Lease; readonly signal: AbortSignal }
type Context = Pick<ImagesContext, "content">

export async function fetchTarget(
  context: Context,
  options: Place & {
    readonly asked: string
    readonly platform: Platform | undefined
    readonly compatible: boolean
    /** What the name pointed to so far. */
    readonly known: Digest | undefined
  },
): Promise<Target> {
  const { asked, compatible, known, platform } = options
  const moved = known === undefined ? undefined : await options.repository.head(asked, options)
  const top = await documentOf(context, moved ?? asked, options)
  let at = top
  for (let depth = 0; isIndex(at.value); depth++) {
    if (depth === DEPTH_LIMIT)
      throw new DhowError("invalid", `Index "${top.digest}" lies more than ${DEPTH_LIMIT} indexes deep`)
    const child: ImageIndex["manifests"][number] = pickManifest(at.value, platform, { compatible })
    at = await documentOf(context, child.digest, options)
    if (at.size !== child.size)
      throw new DhowError("invalid", `Manifest "${child.digest}" is ${at.size} bytes, not the ${child.size} expected`)
  }
  return { target: top.digest, manifest: at.digest, document: imageManifest(at.value) }
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
  if (mediaType !== MEDIA_TYPE.ociConfig && mediaType !== MEDIA_TYPE.dockerConfig)
    throw new DhowError("invalid", `unsupported media type ${mediaType}: this is an artifact, not an image`)
  return value
}
