// GET /images/get: an archive that is an OCI layout and a docker-archive at once, as Docker's is. Layers leave as their
// tar under their diff id, straight from the content store; nothing is copied to disk first.
import { createReadStream, readFileSync } from "node:fs"
import { type TarInput, writeTar } from "../../../lib/tar/writer.ts"
import { type Digest, digestOf, hexOf } from "../../../oci/digest.ts"
import { type Descriptor, type Manifest, MEDIA_TYPE } from "../../../oci/manifest.ts"
import type { Platform } from "../../../oci/platform.ts"
import { familiarName, parseReference } from "../../../oci/reference.ts"
import { plainManifest } from "../assemble.ts"
import { emitImageEvent, familiar, type ImagesContext } from "../context.ts"
import { type ImageRow, platformOf } from "../records.ts"
import { streamOf, throwIfCancelled } from "../streams.ts"
import { type Selected, selectImages } from "./select.ts"

const READ_SIZE = 1 << 20

export function saveImages(
  context: ImagesContext,
  references: readonly string[],
  options: { readonly platform?: Platform; readonly signal: AbortSignal },
): ReadableStream<Uint8Array> {
  // Chosen before the first byte is sent: an unknown name is an error, not a broken archive.
  const selected = selectImages(context, references, options.platform)
  const plan = planArchive(context, selected)
  const lease = context.content.lease()
  for (const blob of plan.stored) lease.hold(blob)
  async function* archive(): AsyncGenerator<Uint8Array> {
    try {
      for await (const chunk of writeTar(entriesOf(context, plan))) {
        throwIfCancelled(options.signal)
        yield chunk
      }
      for (const { main } of selected) emitImageEvent(context, "save", { id: main.id })
    } finally {
      lease[Symbol.dispose]()
    }
  }
  return streamOf(archive())
}

type Plan = {
  /** Blobs that lie in the content store. */
  readonly stored: ReadonlySet<Digest>
  /** Manifests and indexes made for this archive. */
  readonly made: ReadonlyMap<Digest, Uint8Array>
  /** Files beside the blobs. */
  readonly documents: ReadonlyMap<string, unknown>
}

function planArchive(context: ImagesContext, selected: readonly Selected[]): Plan {
  const stored = new Set<Digest>()
  const made = new Map<Digest, Uint8Array>()
  const index: Descriptor[] = []
  const items: unknown[] = []
  const repositories: Record<string, Record<string, string>> = {}

  const make = ({ bytes, mediaType }: Encoded): Descriptor => {
    const digest = digestOf(bytes)
    made.set(digest, bytes)
    return { mediaType, digest, size: bytes.length }
  }

  for (const { images, main, names } of selected) {
    const manifests = images.map((row): Descriptor => {
      const layers = context.configs.read(row.id).rootfs.diff_ids
      for (const blob of [row.id, ...layers]) stored.add(blob)
      return { ...make(manifestOf(context, row)), platform: platformOf(row) }
    })
    const [only] = manifests
    const target: Descriptor =
      manifests.length === 1
        ? { mediaType: only!.mediaType, digest: only!.digest, size: only!.size }
        : make(indexOf(manifests))
    const tags = names.map((name) => ({ name, reference: parseReference(name) }))
    for (const { name, reference } of tags)
      index.push({
        ...target,
        annotations: {
          "io.containerd.image.name": name,
          "org.opencontainers.image.ref.name": reference.tag ?? "latest",
        },
      })
    if (names.length === 0) index.push(target)

    const layers = context.configs.read(main.id).rootfs.diff_ids
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
  return { stored, made, documents }
}

type Encoded = { readonly bytes: Uint8Array; readonly mediaType: string }

/** The manifest as it came where its layers were plain already: its digest then survives the round trip. */
function manifestOf({ content, configs }: ImagesContext, row: ImageRow): Encoded {
  const config = configs.read(row.id)
  const came = readFileSync(content.path(row.manifest))
  const { layers, mediaType = MEDIA_TYPE.ociManifest } = JSON.parse(came.toString("utf8")) as Manifest
  const isPlain = layers.every((layer, at) => layer.digest === config.rootfs.diff_ids[at])
  if (isPlain) return { bytes: came, mediaType }
  const made = plainManifest({ content }, content.stat(row.id)!, config)
  return { bytes: Buffer.from(JSON.stringify(made)), mediaType: made.mediaType }
}

function indexOf(manifests: readonly Descriptor[]): Encoded {
  const mediaType = MEDIA_TYPE.ociIndex
  return { bytes: Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType, manifests })), mediaType }
}

async function* entriesOf({ content }: ImagesContext, plan: Plan): AsyncGenerator<TarInput> {
  yield { path: "blobs", type: "directory" }
  yield { path: "blobs/sha256", type: "directory" }
  for (const digest of [...plan.stored, ...plan.made.keys()].sort()) {
    const bytes = plan.made.get(digest)
    const path = blobPath(digest)
    if (bytes !== undefined) yield { path, type: "file", content: bytes }
    else {
      const size = content.stat(digest)!.size
      yield { path, type: "file", size, content: createReadStream(content.path(digest), { highWaterMark: READ_SIZE }) }
    }
  }
  for (const [path, document] of plan.documents)
    yield { path, type: "file", content: Buffer.from(`${JSON.stringify(document)}\n`) }
}

function blobPath(digest: Digest): string {
  return `blobs/sha256/${hexOf(digest)}`
}
