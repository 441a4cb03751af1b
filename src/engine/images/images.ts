// The Images interface, put together from one file per use-case. Whatever stores bytes and fails leaves them to the
// collection, which runs at once.
import type { GcConfig } from "../../config.ts"
import type { ContentStore } from "../../content/contract.ts"
import { lazily } from "../../lib/lazily.ts"
import { log } from "../../lib/log.ts"
import type { Registries } from "../../registry/contract.ts"
import type { Snapshotter } from "../../snapshot/contract.ts"
import type { Database } from "../../state/database.ts"
import type { ImageContents, Images, Manifests } from "../contract.ts"
import type { Collector } from "../gc.ts"
import { type HeldDocuments, openManifests } from "../manifests/manifests.ts"
import { blobPlaces } from "./blob-places.ts"
import { type Committer, imageCommitter } from "./commit.ts"
import { imageConfigs } from "./configs.ts"
import { type ContentsParts, openContents, type ReconcileMounts } from "./contents/contents.ts"
import type { ContainerUse, EmitImageEvent, ImagesContext } from "./context.ts"
import { sweepBuilds } from "./distro/places.ts"
import { imageHistory } from "./history.ts"
import { platformsIn } from "./index-entries.ts"
import { inspectImage } from "./inspect.ts"
import { lastUsed } from "./last-used.ts"
import { layerSources } from "./layer-sources.ts"
import { layersSize, listImages } from "./list.ts"
import { manifestDescriber } from "./manifests.ts"
import { mountRows } from "./mount-rows.ts"
import { diskPressure } from "./pressure/relief.ts"
import { imagePruner } from "./prune/prune.ts"
import { openPuller } from "./pull/pull.ts"
import { imageRecords } from "./records.ts"
import { referrers } from "./referrers.ts"
import { removeReference } from "./remove-platforms.ts"
import { repairImages } from "./repair.ts"
import { imageResolver, type Resolver } from "./resolve.ts"
import { chunksOf } from "./streams.ts"
import { tagImage } from "./tag.ts"

export type Reconcile = {
  /** At the start, before serving: what a crash left is removed, and layers that it took are made anew from their tar. */
  reconcile(): Promise<void>
}

export type WatchDisk = {
  /** Something has come: looks soon whether the disk is too full. */
  watchDisk(): void
}

export type LayersSize = {
  /** Bytes of the layers of all images, each layer counted once. */
  layersSize(): number
}

export type ManifestDescriber = { readonly describeManifest: ReturnType<typeof manifestDescriber> }

export function openImages(options: {
  /** State root. */
  readonly root: string
  readonly internalCommand: readonly string[]
  readonly database: Database
  readonly content: ContentStore
  readonly snapshotter: Snapshotter
  readonly collector: Collector
  readonly registries: Registries
  /** Requests for a platform take what it runs as well. */
  readonly platformCompat?: () => boolean
  /** Bytes per second of transfers that ask for nothing else. */
  readonly limitRate?: () => number | undefined
  readonly emit: EmitImageEvent
  /** The policy against a full disk, as it is configured now. */
  readonly gc?: () => GcConfig | undefined
  /** Layers of images that are fetched and sent at once. */
  readonly transfers?: () => { readonly downloads: number; readonly uploads: number }
  readonly containers: () => readonly ContainerUse[]
}): Images &
  LayersSize &
  ManifestDescriber &
  WatchDisk &
  Resolver &
  Reconcile & {
    readonly prepareCommit: Committer
    readonly manifests: Manifests & HeldDocuments
    readonly contents: (parts: ContentsParts) => ImageContents & ReconcileMounts
  } {
  const { collector, database, content } = options
  const records = imageRecords(database)
  const configs = imageConfigs(content)
  const context: ImagesContext = {
    ...options,
    transfers: options.transfers ?? (() => ({ downloads: 4, uploads: 5 })),
    records,
    configs,
    layerSources: layerSources(database),
    blobPlaces: blobPlaces(database),
    referrers: referrers(database),
    lastUsed: lastUsed(records),
    mounts: mountRows(database),
    layersInUse: () => collector.layersInUse(),
    collect: async () => {
      await collector.collect()
    },
  }
  const usual = (): { readonly limitRate?: number } => {
    const limitRate = options.limitRate?.()
    return limitRate === undefined ? {} : { limitRate }
  }
  const pull = openPuller(context, options)
  const pruner = imagePruner(context)
  const pressure = diskPressure(context, options.gc ?? (() => undefined))
  const pusher = lazily(async () => (await import("./push/push.ts")).openPusher(context, options.registries))

  async function orCollect<T>(body: Promise<T>): Promise<T> {
    try {
      return await body
    } catch (error) {
      try {
        await collector.collect()
      } catch (failure) {
        log.warn("Cannot collect garbage", { error: String(failure) })
      }
      throw error
    }
  }

  return {
    ...imageResolver(records, configs, {
      offers: (target) => platformsIn(content, target),
      touch: (id) => context.lastUsed.touch(id),
      compatible: () => options.platformCompat?.() ?? false,
    }),
    async reconcile() {
      collector.forgetLeases()
      await sweepBuilds(options.root)
      await repairImages(context)
      await context.collect()
    },
    manifests: openManifests(context, options),
    contents: (parts) => {
      const contents = openContents(context, parts)
      return {
        ...contents,
        squash: (reference, request) => orCollect(contents.squash(reference, request)),
        convert: (source, target, request) => orCollect(contents.convert(source, target, request)),
      }
    },
    prepareCommit(options) {
      const commit = imageCommitter(context)(options)
      return (tar, signal) => orCollect(commit(tar, signal))
    },
    list: async (request) => listImages(context, request),
    layersSize: () => layersSize(context),
    inspect: async (reference, request) => inspectImage(context, reference, request),
    history: async (reference, { platform } = {}) => imageHistory(context, reference, platform),
    tag: async (source, target, { platform } = {}) => tagImage(context, source, { target, platform }),
    describeManifest: manifestDescriber(context),
    async remove(reference, request) {
      const removed = removeReference(context, reference, request)
      await context.collect()
      return removed
    },
    prune: (filters) => pruner.prune(filters),
    gc: () => pressure.relieve(),
    gcStatus: async () => pressure.status(),
    watchDisk: () => pressure.look(),
    prunePlan: async (filters) => pruner.plan(filters),
    pull: (reference, request) =>
      orCollect(pull(reference, { compatible: options.platformCompat?.() ?? false, ...usual(), ...request })),
    push: async (reference, request) => (await pusher())(reference, { ...usual(), ...request }),
    async load(archive, request) {
      const { loadImages } = await import("./load/load.ts")
      await orCollect(loadImages(context, archive, request))
    },
    async import(archive, request) {
      const { importFrom, importImage } = await import("./import.ts")
      return await orCollect(
        "address" in archive
          ? importFrom(context, archive.address, request)
          : importImage(context, chunksOf(archive, request.signal), request),
      )
    },
    save: async (references, request) => (await import("./save/save.ts")).saveImages(context, references, request),
  }
}
