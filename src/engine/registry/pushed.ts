// The source of what was pushed to this registry, and the ways in and out of it: manifests are stored byte for byte once
// all that they name is here.
import type { ContentStore } from "../../content/contract.ts"
import { crashpoint } from "../../lib/crashpoint.ts"
import { digestOf } from "../../oci/digest.ts"
import { MANIFEST_LIMIT, readManifest } from "./document.ts"
import { RegistryError } from "./errors.ts"
import { algorithmOf, digestAs, isNamedDigest, type NamedDigest, type RepositoryName, type Tag } from "./names.ts"
import type { BlobRow, Link, ManifestRow, RegistryRecords } from "./records.ts"
import type { Referrer, ServedBlob, ServedManifest, Source } from "./source.ts"

export type PushedManifest = { readonly digest: NamedDigest; readonly subject: NamedDigest | undefined }
type Stored = { readonly content: BlobRow["content"]; readonly size: number }
type Context = { readonly records: RegistryRecords; readonly content: ContentStore }

export function pushedSource({ records, content }: Context): Source {
  return {
    async manifest(name, reference) {
      const tag = isNamedDigest(reference) ? undefined : records.tag(name, reference)
      const digest = isNamedDigest(reference) ? reference : tag?.digest
      const row = digest === undefined ? undefined : records.manifest(name, digest)
      if (row === undefined) return undefined
      if (tag !== undefined) records.touchTag(tag)
      records.touchManifest(row)
      return served(content, row)
    },
    async blob(name, digest, { head }) {
      const row = records.blob(name, digest)
      // Bytes that were lost are not here: whoever pushes them again mends it.
      if (row === undefined || !content.has(row.content)) return undefined
      if (head) records.touchBlob(row)
      return storedBlob(content, row)
    },
    async tags(name, page) {
      return records.knows(name) ? records.tagNames(name, page) : undefined
    },
    async referrers(name, subject) {
      return records.referrers(name, subject).map(referrerOf)
    },
    names: () => records.names(),
  }
}

export function referrerOf(row: ManifestRow): Referrer {
  const annotations = JSON.parse(row.annotations ?? "{}") as Record<string, string>
  return {
    mediaType: row.media_type,
    digest: row.digest,
    size: row.size,
    ...(row.artifact_type === null ? {} : { artifactType: row.artifact_type }),
    ...(Object.keys(annotations).length === 0 ? {} : { annotations }),
  }
}

export function served(content: ContentStore, row: ManifestRow): ServedManifest {
  const { digest, media_type: mediaType, size } = row
  return { digest, mediaType, size, read: () => content.read(row.content, MANIFEST_LIMIT) }
}

export function storedBlob(content: ContentStore, { content: digest, size }: Stored): ServedBlob {
  return { kind: "stored", content: digest, size, path: content.path(digest) }
}

export type ManifestUpload = {
  readonly reference: Tag | NamedDigest
  /** Further names for what is pushed by its digest. */
  readonly tags: readonly Tag[]
  readonly bytes: Uint8Array
  readonly contentType: string
  /** Where the repository has the blob without anybody having pushed it. */
  find(digest: NamedDigest): Promise<Stored | undefined>
}

export async function putManifest(
  { records, content }: Context,
  name: RepositoryName,
  { reference, tags, bytes, contentType, find }: ManifestUpload,
): Promise<PushedManifest> {
  const document = readManifest(bytes, contentType)
  const digest = digestAs(isNamedDigest(reference) ? algorithmOf(reference) : "sha256", bytes)
  if (isNamedDigest(reference) && reference !== digest)
    throw new RegistryError("DIGEST_INVALID", `Manifest does not match its digest "${reference}": it is "${digest}"`)
  using lease = content.lease()
  lease.hold(digestOf(bytes))
  const stored = await content.put(bytes)
  for (const link of document.links)
    if (link.kind === "blob" && records.blob(name, link.digest) === undefined) {
      const found = await find(link.digest)
      if (found !== undefined) records.putBlob({ repository: name, digest: link.digest, ...found })
    }
  crashpoint("registry.manifest:before-rows")
  const now = Date.now()
  const hasSubject = document.subject !== undefined
  records.transaction(() => {
    // Asked within the transaction: a collection may have taken a blob a moment ago.
    for (const link of document.links) checkLink(records, name, link)
    const row: ManifestRow = {
      repository: name,
      digest,
      content: stored.digest,
      media_type: document.mediaType,
      size: bytes.length,
      subject: document.subject ?? null,
      artifact_type: document.artifactType ?? null,
      annotations: hasSubject ? JSON.stringify(document.annotations) : null,
      pushed_at: now,
      pulled_at: now,
    }
    records.putManifest(row, document.links)
    for (const tag of isNamedDigest(reference) ? tags : [reference, ...tags]) records.putTag(name, tag, { digest })
  })
  return { digest, subject: document.subject }
}

function checkLink(records: RegistryRecords, name: RepositoryName, { digest, kind, size }: Link): void {
  const found = kind === "blob" ? records.blob(name, digest) : records.manifest(name, digest)
  if (found === undefined)
    throw new RegistryError("MANIFEST_BLOB_UNKNOWN", `Manifest names the ${kind} "${digest}", which is not here`)
  if (found.size !== size)
    throw new RegistryError(
      "MANIFEST_INVALID",
      `Manifest says that the ${kind} "${digest}" has ${size} bytes, and it has ${found.size}`,
    )
}

/** A tag goes alone; a digest goes with the tags that point to it. */
export function removeManifest({ records }: Context, name: RepositoryName, reference: Tag | NamedDigest): void {
  if (!isNamedDigest(reference)) {
    if (!records.dropTag(name, reference))
      throw new RegistryError("MANIFEST_UNKNOWN", `Repository "${name}" has no tag "${reference}"`)
    return
  }
  if (records.manifest(name, reference) === undefined)
    throw new RegistryError("MANIFEST_UNKNOWN", `Repository "${name}" has no manifest "${reference}"`)
  records.transaction(() => records.removeManifest(name, reference))
}

/** Also where a manifest names it: whoever may push may break what was pushed, and the specification has it so. */
export function removeBlob({ records }: Context, name: RepositoryName, digest: NamedDigest): void {
  if (records.blob(name, digest) === undefined)
    throw new RegistryError("BLOB_UNKNOWN", `Repository "${name}" has no blob "${digest}"`)
  records.dropBlob(name, digest)
}
