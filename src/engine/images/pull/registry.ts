// An image out of a registry: manifest, configuration, layers, and one transaction that makes it exist. Until then there
// are leased bytes only; what a pull that was cut off has fetched of a large blob is kept for the next one.
import type { Lease } from "../../../content/contract.ts"
import { DhowError } from "../../../lib/errors.ts"
import type { Digest } from "../../../oci/digest.ts"
import type { Descriptor } from "../../../oci/manifest.ts"
import { formatPlatform, samePlatform } from "../../../oci/platform.ts"
import { familiarName, familiarReference, formatReference, type Reference } from "../../../oci/reference.ts"
import type { Registries, Repository } from "../../../registry/contract.ts"
import { parseRegistryAuth } from "../../../registry/credentials.ts"
import { RateLimit } from "../../../registry/rate-limit.ts"
import type { Images, Progress } from "../../contract.ts"
import { commitImages, type StoredImage } from "../assemble.ts"
import { choosePlatform } from "../choose-platform.ts"
import { emitImageEvent, type ImagesContext } from "../context.ts"
import { platformOf } from "../records.ts"
import type { Referrer } from "../referrers.ts"
import { referenceKey } from "../resolve.ts"
import { fetchAttestations, fetchReferrers } from "./artifacts.ts"
import { fetchConfig } from "./config.ts"
import { layerFetcher } from "./layers.ts"
import { fetchTarget, type Place, type TargetImage } from "./target.ts"

type PullOptions = Parameters<Images["pull"]>[1]

export function registryPuller(context: ImagesContext, registries: Registries) {
  const fetchLayers = layerFetcher(context)

  /** Resolves with whether anything is new. */
  async function pullOne(repository: Repository, reference: Reference, options: PullOptions): Promise<boolean> {
    const { allPlatforms = false, compatible = false, platform, progress, signal } = options
    using lease: Lease = context.content.lease()
    const asked = reference.digest ?? reference.tag ?? "latest"
    const key = referenceKey(reference)
    const before = context.records.tag(key)?.target
    const place = { repository, place: reference, lease, signal }
    const choice = { allPlatforms, compatible, platform }
    const { target, images, attestations, skipped } = await fetchTarget(context, {
      ...place,
      ...choice,
      asked,
      known: before,
    })
    progress({ status: `Pulling from ${familiarName(reference)}`, id: asked })
    for (const other of skipped) progress({ status: `Left out: ${other} cannot be used on this host` })
    const stored: StoredImage[] = []
    for (const { manifest, document, platform: named } of images) {
      const asked = familiarReference(reference)
      const { config, variant } = await fetchConfig(context, document, { ...place, ...choice, named, asked })
      stored.push({ id: document.config.digest, manifest, config, variant, targets: [target] })
    }
    if (stored.length === 0)
      throw new DhowError("not-found", `${familiarReference(reference)} names no image that this host can use`)
    const abort = new AbortController()
    const all = AbortSignal.any([signal, abort.signal])
    const beside = comesWith(target, images, attestations, { ...place, progress, signal: all })
    // Told by whoever waits for it; a failure of the layers comes first.
    beside.catch(() => undefined)
    try {
      for (const [at, { document }] of images.entries())
        await fetchLayers(document, stored[at]!.config, { ...place, progress })
    } catch (error) {
      abort.abort(error)
      await beside.catch(() => undefined)
      throw error
    }
    const referrers = await beside
    const held = new Set(context.records.inTarget(target).map(({ id }) => id))
    const left = before === undefined || before === target ? [] : leftBehind(context, before, stored)
    const isNew = before !== target || stored.some(({ id }) => !held.has(id))
    await commitImages(context, stored, { tags: namesOf(reference, target), signal })
    context.referrers.remember(referrers)
    context.blobPlaces.seen(
      images.flatMap(({ document }) => document.layers.map(({ digest }) => digest)),
      reference,
    )
    progress({ status: `Digest: ${target}` })
    for (const other of left)
      progress({
        status: `${familiarReference(reference)} has moved on: its former ${other} is ${familiarName(reference)}@${before} now`,
      })
    const main = choosePlatform(stored, ({ config }) => ({ os: config.os, architecture: config.architecture }))
    const actor = familiarReference(reference)
    emitImageEvent(context, "pull", { id: (main ?? stored[0]!).id, actor, name: familiarName(reference) })
    return isNew
  }

  /** Attestations and what refers to the image: fetched while the layers are. */
  async function comesWith(
    target: Digest,
    images: readonly TargetImage[],
    attestations: readonly Descriptor[],
    options: Place & { readonly progress: Progress },
  ): Promise<readonly Referrer[]> {
    const subjects = [target, ...images.map(({ manifest }) => manifest)]
    const [referrers] = await Promise.all([
      fetchReferrers(context, subjects, options),
      fetchAttestations(context, attestations, options),
    ])
    return referrers
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

/** The platforms of a name's former target that its new one is not here for. */
function leftBehind({ records }: ImagesContext, before: Digest, stored: readonly StoredImage[]): readonly string[] {
  const now = stored.map(({ config: { os, architecture }, variant = "" }) =>
    variant === "" ? { os, architecture } : { os, architecture, variant },
  )
  return records
    .inTarget(before)
    .map(platformOf)
    .filter((old) => !now.some((platform) => samePlatform(platform, old)))
    .map(formatPlatform)
}

/** A tag, and the digest that it led to: what Docker lists as a repository digest. */
function namesOf(reference: Reference, target: Digest) {
  const { domain, path, digest } = reference
  const canonical = { reference: formatReference({ domain, path, digest: target }), target }
  return digest === undefined ? [{ reference: referenceKey(reference), target }, canonical] : [canonical]
}
