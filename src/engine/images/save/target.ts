// One target of an archive: as it came, with all its digests, where every image of it can be had so; otherwise with
// manifests of its own, whose layers are the tars. What an index names beside images (attestations, signatures) goes with
// it as far as it is here.
import { readFileSync } from "node:fs"
import { type Digest, digestOf } from "../../../oci/digest.ts"
import { type Descriptor, type ImageIndex, type Manifest, MEDIA_TYPE } from "../../../oci/manifest.ts"
import { plainManifest } from "../assemble.ts"
import type { ImagesContext } from "../context.ts"
import { isIndex, isManifest, isObject } from "../load/documents.ts"
import { type ImageRow, platformOf } from "../records.ts"
import { type Remade, remadeLayers } from "./forms.ts"
import type { Selected } from "./select.ts"

const DEPTH_LIMIT = 4

/** Blobs of an archive by digest: where they come from. */
export type Blobs = {
  /** That lie in the content store. */
  readonly stored: Set<Digest>
  readonly remade: Map<Digest, Remade>
  /** Manifests and indexes made for this archive. */
  readonly made: Map<Digest, Uint8Array>
}

export type PlannedTarget = {
  /** For index.json. */
  readonly descriptor: Pick<Descriptor, "mediaType" | "digest" | "size">
  /** Layers of the main image as the archive has them, lowest first. */
  readonly layers: readonly Digest[]
}

export async function planTarget(
  context: ImagesContext,
  selected: Selected,
  { blobs, signal }: { readonly blobs: Blobs; readonly signal: AbortSignal },
): Promise<PlannedTarget> {
  const tree = readTree(context, selected.target)
  const remade = await remadeOf(context, { tree, images: selected.images, signal })
  return remade === undefined
    ? planAnew(context, selected, blobs)
    : planVerbatim(context, selected, { tree, blobs, remade })
}

type Tree = { readonly indexes: Set<Digest>; readonly manifests: Map<Digest, Manifest> }

/** The documents at and below a target that are here. */
function readTree({ content }: ImagesContext, target: Digest): Tree {
  const tree: Tree = { indexes: new Set(), manifests: new Map() }
  function read(digest: Digest, depth: number): void {
    if (!content.has(digest) || depth > DEPTH_LIMIT) return
    const document = readDocument(content, digest)
    if (isManifest(document)) tree.manifests.set(digest, document)
    else if (isIndex(document)) {
      tree.indexes.add(digest)
      for (const child of document.manifests) read(child.digest, depth + 1)
    }
  }
  read(target, 0)
  return tree
}

/** Undefined where one of the images cannot leave as it came. */
async function remadeOf(
  context: ImagesContext,
  options: { readonly tree: Tree; readonly images: readonly ImageRow[]; readonly signal: AbortSignal },
): Promise<ReadonlyMap<Digest, Remade> | undefined> {
  const all = new Map<Digest, Remade>()
  for (const { id } of options.images) {
    const manifest = manifestFor(options.tree, id)
    if (manifest === undefined) return undefined
    const { diff_ids: diffIds } = context.configs.read(id).rootfs
    const remade = await remadeLayers(context, manifest, { diffIds, signal: options.signal })
    if (remade === undefined) return undefined
    for (const [digest, one] of remade) all.set(digest, one)
  }
  return all
}

function manifestFor({ manifests }: Tree, id: Digest): Manifest | undefined {
  return manifests.values().find(({ config }) => config.digest === id)
}

function planVerbatim(
  { content }: ImagesContext,
  { target, main }: Selected,
  { tree, blobs, remade }: { readonly tree: Tree; readonly blobs: Blobs; readonly remade: ReadonlyMap<Digest, Remade> },
): PlannedTarget {
  for (const [digest, one] of remade) blobs.remade.set(digest, one)
  for (const index of tree.indexes) blobs.stored.add(index)
  for (const [digest, { config, layers }] of tree.manifests) {
    const named = [config.digest, ...layers.map((layer) => layer.digest)]
    // Of a platform or companion that was never fetched whole.
    if (!named.every((blob) => content.has(blob) || remade.has(blob))) continue
    for (const blob of [digest, ...named]) if (!remade.has(blob)) blobs.stored.add(blob)
  }
  const mediaType = mediaTypeOf(readDocument(content, target))
  const layers = manifestFor(tree, main.id)!.layers.map((layer) => layer.digest)
  return { descriptor: { mediaType, digest: target, size: content.stat(target)!.size }, layers }
}

function planAnew(context: ImagesContext, { images, main }: Selected, blobs: Blobs): PlannedTarget {
  const make = (document: Manifest | ImageIndex): Descriptor => {
    const bytes = Buffer.from(JSON.stringify(document))
    const digest = digestOf(bytes)
    blobs.made.set(digest, bytes)
    return { mediaType: mediaTypeOf(document), digest, size: bytes.length }
  }
  const manifests = images.map((row): Descriptor => {
    const config = context.configs.read(row.id)
    for (const blob of [row.id, ...config.rootfs.diff_ids]) blobs.stored.add(blob)
    return { ...make(plainManifest(context, context.content.stat(row.id)!, config)), platform: platformOf(row) }
  })
  const [only] = manifests
  const layers = context.configs.read(main.id).rootfs.diff_ids
  if (manifests.length === 1 && only !== undefined) {
    const { mediaType, digest, size } = only
    return { descriptor: { mediaType, digest, size }, layers }
  }
  return { descriptor: make({ schemaVersion: 2, mediaType: MEDIA_TYPE.ociIndex, manifests }), layers }
}

function readDocument(content: ImagesContext["content"], digest: Digest): unknown {
  return JSON.parse(readFileSync(content.path(digest), "utf8"))
}

/** Older indexes and manifests of OCI need not say what they are. */
function mediaTypeOf(document: unknown): string {
  if (isObject(document) && typeof document["mediaType"] === "string") return document["mediaType"]
  return isIndex(document) ? MEDIA_TYPE.ociIndex : MEDIA_TYPE.ociManifest
}
