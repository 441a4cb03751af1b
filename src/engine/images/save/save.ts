// GET /images/get: an archive that is an OCI layout and a docker-archive at once, as Docker's is. Blobs leave straight from
// the content store, compressed on their way where their manifest names them so; nothing is copied to disk first.

import { throwIfCancelled } from "../../../lib/cancelled.ts"
import { DhowError } from "../../../lib/errors.ts"
import { fileChunks } from "../../../lib/file-chunks.ts"
import { type TarInput, writeTar } from "../../../lib/tar/writer.ts"
import { type Digest, hexOf } from "../../../oci/digest.ts"
import { type Descriptor, MEDIA_TYPE } from "../../../oci/manifest.ts"
import type { Platform } from "../../../oci/platform.ts"
import { familiarName, parseReference } from "../../../oci/reference.ts"
import { emitImageEvent, familiar, type ImagesContext } from "../context.ts"
import { remakeFile } from "../recipes.ts"
import type { Remade } from "./forms.ts"
import { type Selected, selectImages } from "./select.ts"
import { type Blobs, planTarget } from "./target.ts"

export async function saveImages(
  context: ImagesContext,
  references: readonly string[],
  options: { readonly platform?: Platform; readonly signal: AbortSignal },
): Promise<AsyncIterable<Uint8Array>> {
  const { signal } = options
  // Chosen before the first byte is sent: an unknown name is an error, not a broken archive.
  const selected = selectImages(context, references, options.platform)
  const lease = context.content.lease()
  let plan: Plan
  try {
    for (const { images } of selected)
      for (const row of images) for (const layer of context.configs.read(row.id).rootfs.diff_ids) lease.hold(layer)
    plan = await planArchive(context, selected, signal)
    for (const blob of plan.blobs.stored) lease.hold(blob)
  } catch (error) {
    lease[Symbol.dispose]()
    throw error
  }
  async function* archive(): AsyncGenerator<Uint8Array> {
    try {
      for await (const chunk of writeTar(entriesOf(context, plan, signal))) {
        throwIfCancelled(signal)
        yield chunk
      }
      for (const { main } of selected) emitImageEvent(context, "save", { id: main.id })
    } finally {
      lease[Symbol.dispose]()
    }
  }
  return archive()
}

type Plan = {
  readonly blobs: Blobs
  /** Files beside the blobs. */
  readonly documents: ReadonlyMap<string, unknown>
}

async function planArchive(context: ImagesContext, selected: readonly Selected[], signal: AbortSignal): Promise<Plan> {
  const blobs: Blobs = { stored: new Set(), remade: new Map(), made: new Map() }
  const index: Descriptor[] = []
  const items: unknown[] = []
  const repositories: Record<string, Record<string, string>> = {}

  for (const one of selected) {
    const { main, names } = one
    const { descriptor, layers } = await planTarget(context, one, { blobs, signal })
    const tags = names.map((name) => ({ name, reference: parseReference(name) }))
    for (const { name, reference } of tags)
      index.push({
        ...descriptor,
        annotations: {
          "io.containerd.image.name": name,
          "org.opencontainers.image.ref.name": reference.tag ?? "latest",
        },
      })
    if (names.length === 0) index.push(descriptor)
    items.push({
      Config: blobPath(main.id),
      RepoTags: names.length === 0 ? null : names.map(familiar),
      Layers: layers.map(blobPath),
    })
    for (const { reference } of tags) {
      const repository = familiarName(reference)
      repositories[repository] = {
        ...repositories[repository],
        [reference.tag ?? "latest"]: hexOf(layers.at(-1) ?? main.id),
      }
    }
  }
  const documents = new Map<string, unknown>([
    ["index.json", { schemaVersion: 2, mediaType: MEDIA_TYPE.ociIndex, manifests: index }],
    ["manifest.json", items],
    ["oci-layout", { imageLayoutVersion: "1.0.0" }],
    ...(Object.keys(repositories).length === 0 ? [] : [["repositories", repositories] as const]),
  ])
  return { blobs, documents }
}

async function* entriesOf(context: ImagesContext, plan: Plan, signal: AbortSignal): AsyncGenerator<TarInput> {
  const { content } = context
  const { stored, remade, made } = plan.blobs
  yield { path: "blobs", type: "directory" }
  yield { path: "blobs/sha256", type: "directory" }
  for (const digest of [...new Set([...stored, ...remade.keys(), ...made.keys()])].sort()) {
    const path = blobPath(digest)
    const bytes = made.get(digest)
    const layer = remade.get(digest)
    if (bytes !== undefined) yield { path, type: "file", content: bytes }
    else if (layer !== undefined)
      yield { path, type: "file", size: layer.size, content: verified(digest, context, layer, signal) }
    else {
      const size = content.stat(digest)!.size
      yield { path, type: "file", size, content: fileChunks(content.path(digest)) }
    }
  }
  for (const [path, document] of plan.documents)
    yield { path, type: "file", content: Buffer.from(`${JSON.stringify(document)}\n`) }
}

/** A recipe is a hope: an archive with other bytes under the digest must not look whole. */
async function* verified(
  digest: Digest,
  { content, internalCommand }: ImagesContext,
  { diffId, recipe }: Remade,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const hasher = new Bun.CryptoHasher("sha256")
  for await (const chunk of remakeFile(recipe, content.path(diffId), { internalCommand, signal })) {
    hasher.update(chunk)
    yield chunk
  }
  const made = `sha256:${hasher.digest("hex")}`
  if (made !== digest)
    throw new DhowError("internal", `Layer "${digest}" could not be made again from its tar: it is "${made}"`)
}

function blobPath(digest: Digest): string {
  return `blobs/sha256/${hexOf(digest)}`
}
