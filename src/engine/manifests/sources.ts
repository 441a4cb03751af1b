// Where the entries of a list come from: an image that is here, or else a registry, of which only the documents are
// fetched. Whoever asks is shown to each registry as who they are there.
import type { ContentStore, Lease } from "../../content/contract.ts"
import { DhowError, isKind } from "../../lib/errors.ts"
import type { Digest } from "../../oci/digest.ts"
import type { Manifest } from "../../oci/manifest.ts"
import { formatReference, type Reference } from "../../oci/reference.ts"
import type { FetchedManifest, Registries, Repository } from "../../registry/contract.ts"
import { parseRegistryConfig } from "../../registry/credentials.ts"
import type { ManifestPlatform } from "../../wire/manifest.ts"
import type { RegistryUse } from "../contract.ts"
import type { ImagesContext } from "../images/context.ts"
import { DOCUMENT_LIMIT } from "../images/limits.ts"
import { isIndex, isManifest } from "../images/load/documents.ts"
import { platformOf } from "../registries/distribution.ts"
import type { ListEntry } from "./records.ts"

export type Access = "pull" | "push"

export function repositoryOf(
  registries: Registries,
  { domain, path }: Pick<Reference, "domain" | "path">,
  { auths, insecure, access }: RegistryUse & { readonly access: Access },
): Repository {
  const credentials = parseRegistryConfig(auths, domain)
  return registries.repository(
    { domain, path },
    { access, insecure, ...(credentials === undefined ? {} : { credentials }) },
  )
}

type Place = { readonly repository: Repository; readonly signal: AbortSignal }

/** In the words of docker's client, which looks for manifests by itself. */
export async function fetchOrNone(reference: Reference, { repository, signal }: Place): Promise<FetchedManifest> {
  try {
    return await repository.manifest(reference.digest ?? reference.tag!, { signal })
  } catch (error) {
    if (!isKind(error, "not-found")) throw error
    throw new DhowError("not-found", `no such manifest: ${formatReference(reference)}`)
  }
}

/** The image that a name holds alone, as an entry; undefined where nothing of that name is here. */
export async function localEntry(
  { content, records }: Pick<ImagesContext, "content" | "records">,
  reference: Reference,
): Promise<ListEntry | undefined> {
  const canonical = formatReference(reference)
  const { domain, path, digest } = reference
  const key = digest === undefined ? canonical : formatReference({ domain, path, digest })
  const target = records.tag(key)?.target
  if (target === undefined) return undefined
  const value = await readDocument(content, target)
  if (isIndex(value)) throw isList(canonical)
  const row = records.inTarget(target).find(({ manifest }) => manifest === target)
  if (row === undefined || !isManifest(value)) return undefined
  return {
    reference: canonical,
    descriptor: {
      mediaType: value.mediaType ?? "application/vnd.oci.image.manifest.v1+json",
      digest: target,
      size: content.stat(target)!.size,
      platform: {
        architecture: row.arch,
        os: row.os,
        ...(row.variant === "" ? {} : { variant: row.variant }),
      },
    },
    config: row.id,
  }
}

/** Manifest and configuration come into the content store, under `lease`. */
export async function remoteEntry(
  content: ContentStore,
  reference: Reference,
  { repository, lease, signal }: Place & { readonly lease: Lease },
): Promise<ListEntry> {
  const canonical = formatReference(reference)
  const fetched = await fetchOrNone(reference, { repository, signal })
  const value: unknown = JSON.parse(Buffer.from(fetched.bytes).toString("utf8"))
  if (isIndex(value)) throw isList(canonical)
  if (!isManifest(value)) throw new DhowError("invalid", `${canonical} is not a manifest`)
  const platform = await platformOf(value, { repository, signal })
  lease.hold(fetched.digest)
  await content.put(fetched.bytes)
  return {
    reference: canonical,
    descriptor: {
      mediaType: fetched.mediaType,
      digest: fetched.digest,
      size: fetched.bytes.length,
      ...(platform === undefined ? {} : { platform: platform as ManifestPlatform }),
    },
    config: value.config.digest,
  }
}

export async function readManifest(content: ContentStore, digest: Digest): Promise<Manifest> {
  return (await readDocument(content, digest)) as Manifest
}

async function readDocument(content: ContentStore, digest: Digest): Promise<unknown> {
  return JSON.parse(Buffer.from(await content.read(digest, DOCUMENT_LIMIT)).toString("utf8"))
}

function isList(canonical: string): DhowError {
  return new DhowError("invalid", `${canonical} is a manifest list`, {
    hint: "Name one of its images: dhow manifest inspect says their digests, for NAME@DIGEST",
  })
}
