// Layers going out. What the registry has, under any digest that is known to hold the same tar, is not sent; what another
// repository of it has is mounted; the rest is compressed on its way.
import { createReadStream } from "node:fs"
import { compress } from "../../../lib/compression.ts"
import type { Digest } from "../../../oci/digest.ts"
import type { ImageConfig } from "../../../oci/image-config.ts"
import { type Manifest, MEDIA_TYPE } from "../../../oci/manifest.ts"
import { parseReference } from "../../../oci/reference.ts"
import { type ImagesContext, shortId } from "../context.ts"
import { SharedWork } from "../shared-work.ts"
import { Slots } from "../slots.ts"
import type { PushTo } from "./image.ts"

const TRANSFERS = 5
const READ_SIZE = 1 << 20
const REPORT_MILLISECONDS = 100
/** Questions to a registry cost time: more than a few digests or repositories are not tried. */
const MOST_CANDIDATES = 4
const MOST_SOURCES = 3

export type PushedLayer = { readonly digest: Digest; readonly size: number; readonly kind: "gzip" | "zstd" }
type Layer = { readonly diffId: Digest; readonly candidates: readonly PushedLayer[]; readonly from: readonly string[] }
type Sending = Pick<PushTo, "repository" | "progress" | "signal">

export function layerPusher(context: ImagesContext) {
  const { content, layerSources } = context
  const work = new SharedWork<PushedLayer>()
  const slots = new Slots(TRANSFERS)

  return async (manifest: Manifest, config: ImageConfig, to: PushTo): Promise<readonly PushedLayer[]> => {
    const { domain, path, lease, progress, repository, signal } = to
    const diffIds = config.rootfs.diff_ids
    for (const diffId of new Set(diffIds)) {
      lease.hold(diffId)
      progress({ status: "Preparing", progressDetail: {}, id: shortId(diffId) })
    }
    const abort = new AbortController()
    const all = AbortSignal.any([signal, abort.signal])
    const running = new Map<Digest, Promise<PushedLayer>>()
    for (const [at, diffId] of diffIds.entries()) {
      if (running.has(diffId)) continue
      const layer = { diffId, candidates: candidatesFor(diffId, manifest, at), from: sourcesOf(context, diffId, to) }
      const listener = { progress, signal: all }
      const push = work.join(`${domain}/${path} ${diffId}`, listener, (shared) =>
        pushLayer(layer, { repository, ...shared }),
      )
      push.catch((error: unknown) => abort.abort(error))
      running.set(diffId, push)
    }
    const outcomes = await Promise.allSettled(running.values())
    // The first failure is the reason; the others only follow from it.
    if (abort.signal.aborted && !signal.aborted) throw abort.signal.reason
    const failed = outcomes.find((outcome) => outcome.status === "rejected")
    if (failed !== undefined) throw failed.reason
    return await Promise.all(diffIds.map((diffId) => running.get(diffId)!))
  }

  /** Compressed forms of the layer: the one that its manifest names, and those that were seen. */
  function candidatesFor(diffId: Digest, { layers }: Manifest, at: number): readonly PushedLayer[] {
    const named = layers[at]!
    const seen = layerSources
      .ofLayer(diffId)
      .map(({ digest, size, media_type }) => ({ digest, size, type: media_type }))
    const found = named.digest === diffId ? seen : [{ ...named, type: named.mediaType }, ...seen]
    const candidates = new Map<Digest, PushedLayer>()
    for (const { digest, size, type } of found) {
      const kind = kindOf(type)
      if (kind !== undefined && !candidates.has(digest)) candidates.set(digest, { digest, size, kind })
    }
    return [...candidates.values()].slice(0, MOST_CANDIDATES)
  }

  async function pushLayer({ diffId, candidates, from }: Layer, options: Sending): Promise<PushedLayer> {
    const { repository, progress, signal } = options
    const id = shortId(diffId)
    // Its own: whoever asked for the work may leave before it is done.
    using lease = content.lease()
    lease.hold(diffId)
    if (slots.isFull) progress({ status: "Waiting", progressDetail: {}, id })
    return await slots.hold(signal, async () => {
      for (const candidate of candidates) {
        if (!(await repository.hasBlob(candidate.digest, { signal }))) continue
        progress({ status: "Layer already exists", progressDetail: {}, id })
        return candidate
      }
      for (const source of from)
        for (const candidate of candidates) {
          if (!(await repository.mount(candidate.digest, source, { signal }))) continue
          progress({ status: `Mounted from ${source}`, progressDetail: {}, id })
          return candidate
        }
      const pushed = await send(diffId, options)
      progress({ status: "Pushed", progressDetail: {}, id })
      return pushed
    })
  }

  async function send(diffId: Digest, { repository, progress, signal }: Sending): Promise<PushedLayer> {
    const id = shortId(diffId)
    const total = content.stat(diffId)!.size
    async function* plain(): AsyncGenerator<Uint8Array> {
      let current = 0
      let next = 0
      for await (const chunk of createReadStream(content.path(diffId), { highWaterMark: READ_SIZE })) {
        const bytes = chunk as Buffer
        current += bytes.length
        const now = performance.now()
        if (now >= next) {
          next = now + REPORT_MILLISECONDS
          progress({ status: "Pushing", progressDetail: { current, total }, id })
        }
        yield bytes
      }
    }
    const bytes = (): AsyncIterable<Uint8Array> => compress("gzip", plain(), { signal })
    const { digest, size } = await repository.upload({ bytes }, { signal })
    layerSources.remember({ digest, diff_id: diffId, media_type: MEDIA_TYPE.ociLayerGzip, size })
    return { digest, size, kind: "gzip" }
  }
}

function kindOf(mediaType: string): PushedLayer["kind"] | undefined {
  if (/[.+]gzip$/.test(mediaType)) return "gzip"
  return /[.+]zstd$/.test(mediaType) ? "zstd" : undefined
}

/** Repositories of the same registry that this engine knows to hold the layer. */
function sourcesOf({ records, configs }: ImagesContext, diffId: Digest, { domain, path }: PushTo): readonly string[] {
  const found = new Set<string>()
  for (const { reference, target } of records.tags()) {
    const name = parseReference(reference)
    if (name.domain !== domain || name.path === path || found.has(name.path)) continue
    const holds = records.inTarget(target).some((row) => configs.read(row.id).rootfs.diff_ids.includes(diffId))
    if (holds) found.add(name.path)
    if (found.size === MOST_SOURCES) break
  }
  return [...found]
}
