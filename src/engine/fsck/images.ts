// Every reference from a name down to the files: names to targets, targets to images, images to manifests, configurations
// and layers, snapshots to layers. What a row leads to must be there and must agree with it.
import { existsSync } from "node:fs"
import { join } from "node:path"
import type { Digest } from "../../oci/digest.ts"
import { ownerOfSnapshot } from "../containers/image-mounts.ts"
import { familiar, shortId } from "../images/context.ts"
import { isManifest, isObject } from "../images/load/documents.ts"
import type { ImageRow } from "../images/records.ts"
import { documentOf, layersOf, nameOf } from "./affected.ts"
import { type Check, damaged } from "./context.ts"
import { remake } from "./layers.ts"
import { refetch } from "./refetch.ts"

export async function checkNames(check: Check): Promise<void> {
  const { records, content } = check
  for (const { reference, target } of records.tags()) {
    const found = { object: `name ${familiar(reference)}`, images: [familiar(reference)] }
    if (!content.has(target))
      await damaged(check, { ...found, problem: `it leads to ${target}, which is not here` }, () =>
        refetch(check, target),
      )
    else if (records.inTarget(target).length === 0 && records.tag(reference)?.target === target)
      await damaged(check, { ...found, problem: "it leads to no image" }, "Remove the name, or pull or load it again")
  }
}

/** Returns how many images were looked at. */
export async function checkImages(check: Check, damagedBlobs: ReadonlySet<Digest>): Promise<number> {
  const rows = check.records.images()
  for (const row of rows) {
    check.signal.throwIfAborted()
    await checkImage(check, row, damagedBlobs)
  }
  return rows.length
}

async function checkImage(check: Check, row: ImageRow, damagedBlobs: ReadonlySet<Digest>): Promise<void> {
  const { content, snapshotter, records, affected } = check
  const { id, manifest } = row
  const found = {
    object: `image ${shortId(id)}`,
    images: [nameOf(records, id)],
    containers: affected.containers(id),
  }
  for (const [what, digest] of [
    ["manifest", manifest],
    ["configuration", id],
  ] as const)
    if (!content.has(digest))
      await damaged(check, { ...found, problem: `its ${what} ${digest} is not here` }, () => refetch(check, digest))
  if (damagedBlobs.has(id) || damagedBlobs.has(manifest) || !content.has(id) || !content.has(manifest)) return
  const document = documentOf(content, manifest)
  if (!isManifest(document) || document.config.digest !== id)
    await damaged(
      check,
      { ...found, problem: `its manifest ${manifest} is of another image` },
      "Remove it and pull or load it again",
    )
  for (const layer of new Set(layersOf(content, id))) {
    if (!content.has(layer))
      await damaged(check, { ...found, problem: `the tar of its layer ${layer} is not here` }, () =>
        refetch(check, layer),
      )
    if (content.has(layer) && !damagedBlobs.has(layer) && !snapshotter.hasLayer(layer))
      await damaged(check, { ...found, problem: `its layer ${layer} is not made` }, () => remake(check, layer))
  }
  await checkRow(check, row, found)
}

/** The columns that lists show are copies of what the configuration says. */
async function checkRow(check: Check, row: ImageRow, found: { readonly object: string }): Promise<void> {
  const config = documentOf(check.content, row.id)
  if (!isObject(config)) return
  const os = String(config["os"])
  const arch = String(config["architecture"])
  const variant = typeof config["variant"] === "string" ? config["variant"] : ""
  if (row.os === os && row.arch === arch && row.variant === variant) return
  await damaged(check, { ...found, problem: "its row tells another platform than its configuration" }, async () => {
    check.database
      .query<never, { id: string; os: string; arch: string; variant: string }>(
        "UPDATE images SET os = $os, arch = $arch, variant = $variant WHERE id = $id",
      )
      .run({ id: row.id, os, arch, variant })
    return "the row was corrected"
  })
}

export async function checkSnapshots(check: Check): Promise<void> {
  const { database, snapshotter, root, containers } = check
  const names = new Map(containers.all().map(({ record }) => [record.id, record.name]))
  for (const { key, layers } of database
    .query<{ key: string; layers: string }>("SELECT key, layers FROM snapshots")
    .all()) {
    const owner = names.get(ownerOfSnapshot(key) ?? "")
    const found = { object: `snapshot ${key.slice(0, 12)}`, containers: owner === undefined ? [] : [owner] }
    const lost = "Remove the container; what it wrote is lost"
    for (const part of ["upper", "work"])
      if (!existsSync(join(root, "snapshots", key, part)) && snapshotter.keys().includes(key))
        await damaged(check, { ...found, problem: `its directory "${part}" is missing` }, lost)
    const stack = parseStack(layers)
    if (stack === undefined)
      await damaged(check, { ...found, problem: "its row names its layers in no readable way" }, lost)
    for (const layer of stack ?? [])
      if (!snapshotter.hasLayer(layer) && snapshotter.keys().includes(key))
        await damaged(check, { ...found, problem: `its layer ${layer} is not here` }, async () => {
          if (!check.content.has(layer)) await refetch(check, layer)
          return await remake(check, layer)
        })
  }
}

function parseStack(text: string): readonly Digest[] | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return Array.isArray(value) ? (value as Digest[]) : undefined
  } catch {
    return undefined
  }
}
