// Fetches a blob again from the registries it came from: only from repositories that an image is known to have come from
// or gone to by digest, and only the very same bytes are stored.
import { decompress } from "../../lib/compression.ts"
import { DhowError, isKind } from "../../lib/errors.ts"
import type { Digest } from "../../oci/digest.ts"
import { familiarName, parseReference } from "../../oci/reference.ts"
import type { Repository } from "../../registry/contract.ts"
import { blobPlaces, type Place } from "../images/blob-places.ts"
import { isCanonical } from "../images/context.ts"
import { layerLimit } from "../images/limits.ts"
import type { Check } from "./context.ts"

type Source = { readonly name: string; readonly repository: Repository }

/** Resolves with where it came from; throws what the last registry said, or that there is none. */
export async function refetch(check: Check, digest: Digest): Promise<string> {
  const sources = sourcesOf(check, digest)
  if (sources.length === 0)
    throw new DhowError("not-found", "no registry is known to have it", {
      hint: "Remove the images that need it and load or pull them again",
    })
  let failure: unknown
  for (const { name, repository } of sources) {
    try {
      await fetchFrom(check, digest, repository)
      return `fetched again from ${name}`
    } catch (error) {
      check.signal.throwIfAborted()
      failure = new DhowError(isKind(error, "not-found") ? "not-found" : "unavailable", `${name} did not give it`, {
        cause: error,
      })
    }
  }
  throw failure
}

function sourcesOf(check: Check, digest: Digest): readonly Source[] {
  const { records, affected, registries, database } = check
  const named = affected
    .imageIds(digest)
    .flatMap((id) => records.tagsOf(id))
    .filter(({ reference }) => isCanonical(reference))
    .map(({ reference }): Place => parseReference(reference))
  const places = blobPlaces(database)
  const seen = [digest, ...[...compressedForms(check, digest)].map((form) => form.digest)].flatMap((one) =>
    places.of(one),
  )
  const names = [...named, ...seen]
  const sources = new Map<string, Source>()
  for (const { domain, path } of names) {
    const name = familiarName({ domain, path })
    if (sources.has(name)) continue
    sources.set(name, { name, repository: registries.repository({ domain, path }, { access: "pull" }) })
  }
  return [...sources.values()]
}

async function fetchFrom(check: Check, digest: Digest, repository: Repository): Promise<void> {
  const { content, affected, signal, root } = check
  const role = affected.role(digest)
  using lease = content.lease()
  lease.hold(digest)
  if (role?.kind === "manifest") {
    const { bytes } = await repository.manifest(digest, { signal })
    await content.ingest(once(bytes), { expect: { digest }, signal })
    return
  }
  if (role?.kind === "config" || role?.kind === "blob") {
    const size = sizeOf(check, digest)
    await content.ingest(repository.blob({ digest, size }, { signal }), {
      expect: { digest, size },

      signal,
    })
    return
  }
  let failure: unknown
  for (const blob of compressedForms(check, digest)) {
    try {
      const { bytes } = await decompress(repository.blob(blob, { signal }), { signal })
      await content.ingest(bytes, { expect: { digest }, limit: layerLimit(root), signal })
      return
    } catch (error) {
      signal.throwIfAborted()
      failure = error
    }
  }
  throw failure ?? new DhowError("not-found", "its digest in the registry is not known")
}

function compressedForms({ affected, layerSources }: Check, layer: Digest) {
  const role = affected.role(layer)
  const described = role?.kind === "layer" ? role.compressed : []
  const forms = [...described, ...layerSources.ofLayer(layer)].map(
    ({ digest, size }) => [digest, { digest, size }] as const,
  )
  return new Map(forms).values()
}

function sizeOf({ content }: Check, digest: Digest): number {
  const size = content.stat(digest)?.size
  if (size === undefined) throw new DhowError("not-found", "its size is not known")
  return size
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}
