// POST /images/load: every image of an archive, or none.

import type { Lease } from "../../../content/contract.ts"
import { DhowError } from "../../../lib/errors.ts"
import { formatPlatform, type Platform, samePlatform } from "../../../oci/platform.ts"
import type { Images } from "../../contract.ts"
import { commitImages } from "../assemble.ts"
import { choosePlatform } from "../choose-platform.ts"
import { emitImageEvent, familiar, type ImagesContext } from "../context.ts"
import { platformOf } from "../records.ts"
import { chunksOf } from "../streams.ts"
import { namesOf, readDockerArchive, readItems } from "./docker-archive.ts"
import { isLegacy, readLegacy } from "./legacy.ts"
import type { LoadedTarget } from "./loaded.ts"
import { readLayout } from "./oci-layout.ts"
import { type Archive, spoolArchive } from "./spool.ts"

export async function loadImages(
  context: ImagesContext,
  stream: ReadableStream<Uint8Array>,
  options: Parameters<Images["load"]>[1],
): Promise<void> {
  const { platform, progress, quiet, signal } = options
  using lease = context.content.lease()
  const archive = await spoolArchive(context, chunksOf(stream, signal), {
    lease,
    signal,
    ...(quiet ? {} : { progress }),
  })
  const found = await readTargets(context, archive, lease)
  const targets = platform === undefined ? found : onlyPlatform(found, platform)
  const renamed = targets.flatMap((target) => replacedBy(context, target))
  await commitImages(
    context,
    targets.flatMap(({ images }) => images),
    {
      tags: targets.flatMap(({ target, names }) => names.map((reference) => ({ reference, target }))),
      signal,
    },
  )
  for (const { name, id } of renamed)
    say(`The image ${familiar(name)} already exists, renaming the old one with ID ${id} to empty string`)
  for (const { images, names } of targets) {
    const shown = choosePlatform(images, ({ config }) => ({ os: config.os, architecture: config.architecture }))
    if (shown === undefined) continue
    for (const name of names) say(`Loaded image: ${familiar(name)}`)
    if (names.length === 0) say(`Loaded image ID: ${shown.id}`)
    emitImageEvent(context, "load", { id: shown.id })
  }

  function say(line: string): void {
    progress({ stream: `${line}\n` })
  }
}

/** Names then lead to the manifest itself: an index would keep what else it names from being collected. */
function onlyPlatform(targets: readonly LoadedTarget[], platform: Platform): readonly LoadedTarget[] {
  const found = targets.flatMap(({ images, names }): LoadedTarget[] => {
    const image = images.find(({ config }) => samePlatform(config, platform))
    if (image === undefined) return []
    return [{ target: image.manifest, images: [{ ...image, targets: [image.manifest] }], names }]
  })
  if (found.length > 0) return found
  const there = [...new Set(targets.flatMap(({ images }) => images.map(({ config }) => formatPlatform(config))))].sort()
  throw new DhowError("not-found", `requested platform (${formatPlatform(platform)}) not found`, {
    hint: `The archive has ${there.join(", ")}`,
  })
}

/** index.json knows more: several platforms, and manifests as they were. The other file may still add names. */
async function readTargets(context: ImagesContext, archive: Archive, lease: Lease): Promise<readonly LoadedTarget[]> {
  const index = archive.file("index.json")
  const manifest = archive.file("manifest.json")
  const items = manifest === undefined ? [] : await readItems(archive, manifest)
  const found = index === undefined ? [] : await readLayout(archive, index)
  if (found.length > 0) {
    const byConfig = new Map(items.map((item) => [archive.file(item.Config)?.digest, namesOf(item)]))
    return found.map((target) => {
      const more = target.images.flatMap(({ id }) => byConfig.get(id) ?? [])
      return { ...target, names: [...new Set([...target.names, ...more])] }
    })
  }
  if (manifest !== undefined) return await readDockerArchive(context, archive, { items, lease })
  if (isLegacy(archive)) return await readLegacy(context, archive, lease)
  throw new DhowError("invalid", 'Archive holds no image: neither "index.json" nor "manifest.json" names one', {
    hint: "A tarball of a file system becomes an image with import",
  })
}

/** Names that lead to another image so far. */
function replacedBy({ records }: ImagesContext, { names, images }: LoadedTarget) {
  const loaded = new Set(images.map((image) => image.id))
  return names.flatMap((name) => {
    const old = choosePlatform(records.named(name), platformOf)
    return old === undefined || loaded.has(old.id) ? [] : [{ name, id: old.id }]
  })
}
