// The registry server's use-cases over the content store, put together. What HTTP says of them is in src/api/registry.
import { join } from "node:path"
import type { ContentStore } from "../../content/contract.ts"
import { describeError } from "../../lib/errors.ts"
import { log } from "../../lib/log.ts"
import type { Registries } from "../../registry/contract.ts"
import type { Database } from "../../state/database.ts"
import type {
  RegistryGcReport,
  RegistryGcRequest,
  RegistryListener,
  RegistryRepository,
  RegistryTag,
} from "../../wire/registry-server.ts"
import { layerSources } from "../images/layer-sources.ts"
import { layerLimit } from "../images/limits.ts"
import { imageRecords } from "../images/records.ts"
import { describeRepositories, describeTags } from "./describe.ts"
import { RegistryError } from "./errors.ts"
import { openExactLayers } from "./exact-layers.ts"
import { openFetches } from "./fetches.ts"
import { collectRegistry } from "./gc.ts"
import { type ListenerRows, listenerRows } from "./listener-settings.ts"
import { localImages } from "./local-images.ts"
import type { NamedDigest, RepositoryName, Tag } from "./names.ts"
import {
  type ManifestUpload,
  type PushedManifest,
  pushedSource,
  putManifest,
  removeBlob,
  removeManifest,
} from "./pushed.ts"
import { type RegistryRecords, registryRecords } from "./records.ts"
import { openRetention, type Retention } from "./retention.ts"
import { firstOf, type ServedBlob, type Source, splitSource } from "./source.ts"
import { openUploads, type Uploads } from "./uploads.ts"
import { type CacheResult, proxyFor, upstreamSource } from "./upstream.ts"

/** How often what is given up is looked for while somebody is served. */
const TEND_MILLISECONDS = 10 * 60 * 1000
/** After a deletion the bytes go soon, but many deletions go together. */
const COLLECT_MILLISECONDS = 1000

export interface Registry {
  readonly records: RegistryRecords
  readonly uploads: Uploads
  readonly retention: Retention
  readonly listeners: ListenerRows
  /** What a listener with these settings shows. */
  source(listener: RegistryListener, count: (result: CacheResult) => void): Source
  putManifest(name: RepositoryName, upload: ManifestUpload): Promise<PushedManifest>
  removeManifest(name: RepositoryName, reference: Tag | NamedDigest): void
  removeBlob(name: RepositoryName, digest: NamedDigest): void
  /** Gives the repository a blob that another one has. */
  mount(name: RepositoryName, digest: NamedDigest, blob: ServedBlob & { readonly kind: "stored" }): void
  removeRepository(name: RepositoryName): void
  repositories(): readonly RegistryRepository[]
  tags(name: RepositoryName): Promise<readonly RegistryTag[]>
  gc(request: RegistryGcRequest): Promise<RegistryGcReport>
  /** Gives up what is due, now and then, until disposed. */
  tend(): Disposable
}

export function openRegistry(options: {
  readonly root: string
  readonly internalCommand: readonly string[]
  readonly database: Database
  readonly content: ContentStore
  readonly registries: Registries
  readonly collect: () => Promise<unknown>
}): Registry {
  const { collect, content, database, registries, root } = options
  const records = registryRecords(database)
  const retention = openRetention(database)
  const directory = join(root, "registry/uploads")
  const uploads = openUploads({ database, content, records, directory, limit: () => layerLimit(root) })
  const fetches = openFetches({ content, directory: join(root, "registry/fetches"), limit: () => layerLimit(root) })
  const context = { records, content }
  const pushed = pushedSource(context)
  const local = localImages({
    images: imageRecords(database),
    content,
    exactly: openExactLayers({ ...options, layerSources: layerSources(database) }),
  })
  let soon: NodeJS.Timeout | undefined

  function collectSoon(): void {
    if (soon !== undefined) return
    soon = setTimeout(() => {
      soon = undefined
      collect().catch((error: unknown) => log.warn("Cannot collect garbage", { error: describeError(error) }))
    }, COLLECT_MILLISECONDS).unref()
  }

  const gc = (request: RegistryGcRequest): Promise<RegistryGcReport> =>
    collectRegistry({ records, retention, uploads, content, collect }, request)

  return {
    records,
    uploads,
    retention,
    listeners: listenerRows(database),
    source({ localImages: hasLocal = true, proxies = [] }, count) {
      const own = hasLocal ? [pushed, local] : [pushed]
      if (proxies.length === 0) return firstOf(own)
      const upstream = upstreamSource({ ...context, registries, fetches, count }, proxies)
      // Where every name is another registry's, the images of this machine still go before.
      const isEvery = proxies.some(({ prefix }) => prefix === "")
      const fetched = firstOf(isEvery && hasLocal ? [local, upstream, pushed] : [upstream, pushed])
      return splitSource((name) => proxyFor(proxies, name) !== undefined, fetched, firstOf(own))
    },
    putManifest: (name, upload) => putManifest(context, name, upload),
    removeManifest(name, reference) {
      removeManifest(context, name, reference)
      collectSoon()
    },
    removeBlob(name, digest) {
      removeBlob(context, name, digest)
      collectSoon()
    },
    mount(name, digest, blob) {
      records.putBlob({ repository: name, digest, content: blob.content, size: blob.size })
    },
    removeRepository(name) {
      if (!records.knows(name)) throw new RegistryError("NAME_UNKNOWN", `There is no repository "${name}"`)
      records.transaction(() => records.dropRepository(name))
      collectSoon()
    },
    repositories: () => describeRepositories(context),
    async tags(name) {
      if (!records.knows(name)) throw new RegistryError("NAME_UNKNOWN", `There is no repository "${name}"`)
      return await describeTags(context, name)
    },
    gc,
    tend() {
      const look = (): void => {
        fetches.sweep()
        void gc({}).catch((error: unknown) => log.warn("Cannot tend the registry", { error: describeError(error) }))
      }
      const timer = setInterval(look, TEND_MILLISECONDS).unref()
      return { [Symbol.dispose]: () => clearInterval(timer) }
    },
  }
}
