// What a name leads to: a list that was put together here, else what the registry has.
import { DhowError } from "../../lib/errors.ts"
import { digestOf } from "../../oci/digest.ts"
import type { Descriptor } from "../../oci/manifest.ts"
import { formatReference, parseReference, type Reference, withDefaultTag } from "../../oci/reference.ts"
import type { Registries, Repository } from "../../registry/contract.ts"
import type { ManifestInspect, ManifestPlatform } from "../../wire/manifest.ts"
import type { Manifests } from "../contract.ts"
import type { ImagesContext } from "../images/context.ts"
import { DOCUMENT_LIMIT } from "../images/limits.ts"
import { isIndex, isManifest } from "../images/load/documents.ts"
import { platformOf } from "../registries/distribution.ts"
import { indexBytes } from "./index-bytes.ts"
import type { ListEntry, ListRecords } from "./records.ts"
import { fetchOrNone, repositoryOf } from "./sources.ts"

/** Of one list; more would be a registry's way to keep us busy. */
const MOST_ENTRIES = 1000

export function manifestInspector(
  { content }: Pick<ImagesContext, "content">,
  registries: Registries,
  lists: ListRecords,
): Manifests["inspect"] {
  async function ofEntry({ reference, descriptor }: ListEntry): Promise<ManifestInspect> {
    const bytes = await content.read(descriptor.digest, DOCUMENT_LIMIT)
    return { Ref: reference, Descriptor: descriptor, Raw: Buffer.from(bytes).toString("base64") }
  }

  return async (text, { list: listText, local, verbose, signal, ...use }) => {
    const reference = withDefaultTag(parseReference(text))
    const canonical = formatReference(reference)
    if (listText !== undefined) {
      const list = formatReference(withDefaultTag(parseReference(listText)))
      const entry = lists.entries(list).find((one) => one.reference === canonical)
      if (entry === undefined) throw new DhowError("not-found", `No such manifest: ${canonical}`)
      return await ofEntry(entry)
    }
    const entries = lists.entries(canonical)
    if (entries.length > 0) {
      const { bytes, mediaType } = indexBytes(entries.map(({ descriptor }) => descriptor))
      return {
        Ref: canonical,
        Descriptor: { mediaType, digest: digestOf(bytes), size: bytes.length },
        Raw: Buffer.from(bytes).toString("base64"),
        Manifests: await Promise.all(entries.map(ofEntry)),
      }
    }
    if (local) throw new DhowError("not-found", `No such manifest: ${canonical}`)
    const repository = repositoryOf(registries, reference, { ...use, access: "pull" })
    return await ofRegistry(reference, { repository, verbose, signal })
  }
}

type Place = { readonly repository: Repository; readonly verbose: boolean; readonly signal: AbortSignal }

async function ofRegistry(reference: Reference, place: Place, given?: Descriptor): Promise<ManifestInspect> {
  const { repository, signal, verbose } = place
  const { bytes, digest, mediaType } = await fetchOrNone(reference, place)
  const value: unknown = JSON.parse(Buffer.from(bytes).toString("utf8"))
  const found = { mediaType, digest, size: bytes.length }
  const Raw = Buffer.from(bytes).toString("base64")
  const Ref = formatReference(reference)
  if (isManifest(value)) {
    const platform = given?.platform ?? (verbose ? await platformOf(value, { repository, signal }) : undefined)
    const Descriptor = { ...found, ...(platform == null ? {} : { platform: platform as ManifestPlatform }) }
    return { Ref, Descriptor, Raw }
  }
  if (!isIndex(value) || given !== undefined) throw new DhowError("invalid", `${Ref} is not a manifest`)
  if (!verbose) return { Ref, Descriptor: found, Raw }
  if (value.manifests.length > MOST_ENTRIES)
    throw new DhowError("invalid", `${Ref} lists more than ${MOST_ENTRIES} manifests`)
  const Manifests: ManifestInspect[] = []
  for (const one of value.manifests) Manifests.push(await ofRegistry({ ...reference, digest: one.digest }, place, one))
  return { Ref, Descriptor: found, Raw, Manifests }
}
