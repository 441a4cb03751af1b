// The Manifests interface: lists of manifests that are put together here, one for each platform, and pushed as one. A
// list whose images are here is an image of its own name at the same time.
import { crashpoint } from "../../lib/crashpoint.ts"
import { DhowError } from "../../lib/errors.ts"
import { digestOf } from "../../oci/digest.ts"
import { formatReference, parseReference, type Reference, withDefaultTag } from "../../oci/reference.ts"
import type { Registries } from "../../registry/contract.ts"
import type { Database } from "../../state/database.ts"
import type { ManifestPlatform } from "../../wire/manifest.ts"
import type { Manifests } from "../contract.ts"
import type { ImagesContext } from "../images/context.ts"
import { indexBytes } from "./index-bytes.ts"
import { manifestInspector } from "./inspect.ts"
import { isKnownPlatform } from "./platforms.ts"
import { listPusher } from "./push.ts"
import { type ListEntry, listRecords } from "./records.ts"
import { localEntry, remoteEntry, repositoryOf } from "./sources.ts"

export type HeldDocuments = { readonly held: ReturnType<typeof listRecords>["held"] }

export function openManifests(
  context: ImagesContext,
  { database, registries }: { readonly database: Database; readonly registries: Registries },
): Manifests & HeldDocuments {
  const { content, records } = context
  const lists = listRecords(database)
  const push = listPusher(context, registries)

  /** Rows and tag change together: a reader sees the list before, or after. */
  async function save(list: string, entries: readonly ListEntry[]): Promise<void> {
    const all = [...lists.entries(list)]
    for (const entry of entries) {
      const at = all.findIndex(({ reference }) => reference === entry.reference)
      if (at < 0) all.push(entry)
      else all[at] = entry
    }
    using lease = content.lease()
    const { bytes } = indexBytes(all.map(({ descriptor }) => descriptor))
    const target = digestOf(bytes)
    const here = imagesOf(all)
    if (here.length > 0) {
      lease.hold(target)
      await content.put(bytes)
    }
    crashpoint("manifests.save:before-rows")
    records.transaction(() => {
      for (const entry of entries) lists.put(list, entry)
      for (const { config, descriptor } of here) records.putPacked(target, config, descriptor.digest)
      if (here.length > 0) records.putTag(list, target)
    })
  }

  /** Whatever manifest an image came with, its layers are here. */
  function imagesOf(entries: readonly ListEntry[]): readonly ListEntry[] {
    return entries.filter(({ config }) => records.image(config) !== undefined)
  }

  function existing(list: string): readonly ListEntry[] {
    const entries = lists.entries(list)
    if (entries.length === 0) throw new DhowError("not-found", `No such manifest: ${list}`)
    return entries
  }

  /** Its name too, unless that has come to mean something else. */
  async function forget(list: string, entries: readonly ListEntry[]): Promise<void> {
    const target = digestOf(indexBytes(entries.map(({ descriptor }) => descriptor)).bytes)
    records.transaction(() => {
      lists.drop(list)
      if (records.tag(list)?.target === target) records.dropTag(list)
    })
    await context.collect()
  }

  return {
    held: () => lists.held(),

    async create(name, manifests, { amend, signal, ...use }) {
      const list = formatReference(listName(name))
      const known = lists.entries(list)
      if (known.length > 0 && !amend)
        throw new DhowError("conflict", "refusing to amend an existing manifest list with no --amend flag")
      using lease = content.lease()
      const entries: ListEntry[] = []
      for (const text of manifests) {
        const reference = named(text)
        const same = known.find((entry) => entry.reference === formatReference(reference))
        const entry = same ?? (await localEntry(context, reference))
        if (entry !== undefined) {
          lease.hold(entry.descriptor.digest)
          entries.push(entry)
          continue
        }
        const repository = repositoryOf(registries, reference, { ...use, access: "pull" })
        entries.push(await remoteEntry(content, reference, { repository, lease, signal }))
      }
      await save(list, entries)
      return { Reference: list }
    },

    async annotate(name, manifest, changes) {
      const list = formatReference(named(name))
      const reference = formatReference(named(manifest))
      const entry = lists.entries(list).find((one) => one.reference === reference)
      if (entry === undefined)
        throw new DhowError("not-found", `manifest for image ${manifest} does not exist in ${name}`)
      const platform = annotated(entry.descriptor.platform, changes)
      if (!isKnownPlatform(platform))
        throw new DhowError(
          "invalid",
          `manifest entry for image has unsupported os/arch combination: ${changes.os ?? ""}/${changes.architecture ?? ""}`,
        )
      await save(list, [{ ...entry, descriptor: { ...entry.descriptor, platform } }])
    },

    inspect: manifestInspector(context, registries, lists),

    async push(name, { purge, ...options }) {
      const reference = named(name)
      const list = formatReference(reference)
      const entries = existing(list)
      // The registry may know an image by another manifest, whose layers are compressed: from now on the list does too.
      await push(reference, entries, {
        ...options,
        keep: (pushed) => (purge ? forget(list, entries) : save(list, pushed)),
      })
    },

    async remove(name) {
      const list = formatReference(named(name))
      await forget(list, existing(list))
    },
  }
}

function named(text: string): Reference {
  return withDefaultTag(parseReference(text))
}

function listName(text: string): Reference {
  try {
    return named(text)
  } catch (cause) {
    throw new DhowError("invalid", `error parsing name for manifest list ${text}`, { cause })
  }
}

function annotated(
  before: ManifestPlatform = { architecture: "", os: "" },
  { os, architecture, variant, osVersion, osFeatures = [] }: Parameters<Manifests["annotate"]>[2],
): ManifestPlatform {
  const features = [...new Set([...(before["os.features"] ?? []), ...osFeatures])]
  return {
    ...before,
    ...(os ? { os } : {}),
    ...(architecture ? { architecture } : {}),
    ...(variant ? { variant } : {}),
    ...(osVersion ? { "os.version": osVersion } : {}),
    ...(features.length === 0 ? {} : { "os.features": features }),
  }
}
