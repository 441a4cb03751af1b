// A list into its repository: the manifests that it names first, with all that they need, then the list. Nobody can pull
// an entry that is not there.
import type { Lease } from "../../content/contract.ts"
import { crashpoint } from "../../lib/crashpoint.ts"
import { DhowError } from "../../lib/errors.ts"
import type { Descriptor } from "../../oci/manifest.ts"
import { formatReference, parseReference, type Reference } from "../../oci/reference.ts"
import type { Registries, Repository } from "../../registry/contract.ts"
import type { ManifestDescriptor } from "../../wire/manifest.ts"
import type { Manifests } from "../contract.ts"
import { type ImagesContext, shortId } from "../images/context.ts"
import { DOCUMENT_LIMIT } from "../images/limits.ts"
import { imagePusher } from "../images/push/image.ts"
import { indexBytes } from "./index-bytes.ts"
import type { ListEntry } from "./records.ts"
import { readManifest, repositoryOf } from "./sources.ts"

type Options = Omit<Parameters<Manifests["push"]>[1], "purge">
type To = Options & { readonly target: Reference; readonly repository: Repository; readonly lease: Lease }

const USUAL = { limit: undefined, compression: undefined, sameDigest: false } as const

export function listPusher(context: ImagesContext, registries: Registries) {
  const { content, records } = context
  const pushImage = imagePusher(context, registries)

  /** `keep` gets the entries as the registry has them now, while nothing of them can be collected. */
  return async (
    target: Reference,
    entries: readonly ListEntry[],
    { keep, ...options }: Options & { readonly keep: (pushed: readonly ListEntry[]) => Promise<void> },
  ): Promise<void> => {
    for (const { reference, descriptor } of entries)
      if (!descriptor.platform?.architecture || !descriptor.platform.os)
        throw new DhowError(
          "invalid",
          `manifest ${reference} must have an OS and Architecture to be pushed to a registry`,
        )
    const { progress, signal } = options
    const repository = repositoryOf(registries, target, { ...options, access: "push" })
    using lease = content.lease()
    const pushed: ListEntry[] = []
    for (const entry of entries)
      pushed.push({ ...entry, descriptor: await pushEntry(entry, { ...options, target, repository, lease }) })
    crashpoint("manifests.push:before-list")
    const { bytes, mediaType } = indexBytes(pushed.map(({ descriptor }) => descriptor))
    const digest = await repository.putManifest(target.tag ?? target.digest!, { bytes, mediaType }, { signal })
    await keep(pushed)
    progress({ status: digest })
    progress({ aux: { Tag: target.tag ?? "", Digest: digest, Size: bytes.length } })
  }

  async function pushEntry(entry: ListEntry, to: To): Promise<ManifestDescriptor> {
    const { target, progress } = to
    const { descriptor, config } = entry
    const { domain, path } = parseReference(entry.reference)
    const isSame = domain === target.domain && path === target.path
    const row = records.image(config)
    if (row !== undefined) {
      const packed = { ...row, manifest: descriptor.digest }
      const { digest, size, mediaType } = await pushImage(packed, undefined, {
        ...to,
        ...USUAL,
        domain: target.domain,
        path: target.path,
      })
      if (!isSame) progress({ status: pushedText(target, digest) })
      return { ...descriptor, digest, size, mediaType }
    }
    if (!isSame) await copy(entry, { domain, path }, to)
    return descriptor
  }

  /** What is only in a registry goes from there, without a stay here: mounted where it is the same one. */
  async function copy(
    { descriptor }: ListEntry,
    from: Pick<Reference, "domain" | "path">,
    { repository, target, progress, signal, ...use }: To,
  ): Promise<void> {
    const manifest = await readManifest(content, descriptor.digest)
    const source = repositoryOf(registries, from, { ...use, access: "pull" })
    for (const blob of [manifest.config, ...manifest.layers]) await copyBlob(blob)
    const bytes = await content.read(descriptor.digest, DOCUMENT_LIMIT)
    const { mediaType, digest } = descriptor
    await repository.putManifest(digest, { bytes, mediaType }, { signal })
    progress({ status: pushedText(target, digest) })

    async function copyBlob(blob: Descriptor): Promise<void> {
      const id = shortId(blob.digest)
      const { digest: named, size } = blob
      if (await repository.hasBlob(named, { signal })) return progress({ status: "Layer already exists", id })
      const isMounted = from.domain === target.domain && (await repository.mount(named, from.path, { signal }))
      if (isMounted) return progress({ status: `Mounted from ${from.path}`, id })
      const bytes = (): AsyncIterable<Uint8Array> => source.blob(blob, { signal })
      await repository.upload({ bytes, known: { digest: named, size } }, { signal })
      progress({ status: "Pushed", id })
    }
  }
}

function pushedText({ domain, path }: Reference, digest: ManifestDescriptor["digest"]): string {
  return `Pushed ref ${formatReference({ domain, path, digest })} with digest: ${digest}`
}
