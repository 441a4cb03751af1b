// An image out of a registry: manifest, configuration, layers, and one transaction that makes it exist. Until then there
// are leased bytes only; what a pull that was cut off has fetched of a large blob is kept for the next one.
import type { Lease } from "../../../content/contract.ts"
import type { Digest } from "../../../oci/digest.ts"
import { familiarName, familiarReference, formatReference, type Reference } from "../../../oci/reference.ts"
import type { Registries, Repository } from "../../../registry/contract.ts"
import { parseRegistryAuth } from "../../../registry/credentials.ts"
import { RateLimit } from "../../../registry/rate-limit.ts"
import type { Images } from "../../contract.ts"
import { commitImages, type StoredImage } from "../assemble.ts"
import { emitImageEvent, type ImagesContext } from "../context.ts"
import { referenceKey } from "../resolve.ts"
import { fetchConfig } from "./config.ts"
import { layerFetcher } from "./layers.ts"
import { fetchTarget } from "./target.ts"

type PullOptions = Parameters<Images["pull"]>[1]

export function registryPuller(context: ImagesContext, registries: Registries) {
  const fetchLayers = layerFetcher(context)

  /** Resolves with whether anything is new. */
  async function pullOne(repository: Repository, reference: Reference, options: PullOptions): Promise<boolean> {
    const { compatible = false, platform, progress, signal } = options
    using lease: Lease = context.content.lease()
    const asked = reference.digest ?? reference.tag ?? "latest"
    const key = referenceKey(reference)
    const before = context.records.tag(key)?.target
    const place = { repository, lease, signal }
    const { target, manifest, document } = await fetchTarget(context, {
      ...place,
      asked,
      compatible,
      platform,
      known: before,
    })
    progress({ status: `Pulling from ${familiarName(reference)}`, id: asked })
    const config = await fetchConfig(context, document, {
      ...place,
      compatible,
      platform,
      asked: familiarReference(reference),
    })
    await fetchLayers(document, config, { ...place, progress })
    const image: StoredImage = { id: document.config.digest, manifest, config, targets: [target] }
    const isNew = before !== target || !context.records.inTarget(target).some(({ id }) => id === image.id)
    await commitImages(context, [image], { tags: namesOf(reference, target), signal })
    context.blobPlaces.seen(
      document.layers.map(({ digest }) => digest),
      reference,
    )
    progress({ status: `Digest: ${target}` })
    const actor = familiarReference(reference)
    emitImageEvent(context, "pull", { id: image.id, actor, name: familiarName(reference) })
    return isNew
  }

  return async (reference: Reference, options: PullOptions): Promise<void> => {
    const { progress, signal } = options
    const credentials = parseRegistryAuth(options.auth)
    const repository = registries.repository(reference, {
      access: "pull",
      ...(credentials === undefined ? {} : { credentials }),
      ...(options.limitRate === undefined ? {} : { limit: new RateLimit(options.limitRate) }),
    })
    const { domain, path } = reference
    const isAll = reference.tag === undefined && reference.digest === undefined
    const wanted = isAll ? (await repository.tags({ signal })).map((tag) => ({ domain, path, tag })) : [reference]
    let isNew = false
    for (const one of wanted) if (await pullOne(repository, one, options)) isNew = true
    const status = isNew ? "Downloaded newer image for" : "Image is up to date for"
    progress({ status: `Status: ${status} ${familiarReference(reference)}` })
  }
}

/** A tag, and the digest that it led to: what Docker lists as a repository digest. */
function namesOf(reference: Reference, target: Digest) {
  const { domain, path, digest } = reference
  const canonical = { reference: formatReference({ domain, path, digest: target }), target }
  return digest === undefined ? [{ reference: referenceKey(reference), target }, canonical] : [canonical]
}
