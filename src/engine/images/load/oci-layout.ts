// The images of an OCI layout: index.json names targets, a target is a manifest or an index of them, however deep. An
// index may be held in part (its other platforms were never fetched); a manifest that is named alone must be whole.
import { DhowError } from "../../../lib/errors.ts"
import type { Digest } from "../../../oci/digest.ts"
import { type Descriptor, type Manifest, MEDIA_TYPE } from "../../../oci/manifest.ts"
import type { Platform } from "../../../oci/platform.ts"
import { formatReference, parseReference, withDefaultTag } from "../../../oci/reference.ts"
import type { StoredImage } from "../assemble.ts"
import { parseConfig } from "../parse-config.ts"
import { variantOf } from "../variant.ts"
import { isIndex, isManifest, readDocument } from "./documents.ts"
import { checkLayers } from "./layers.ts"
import type { LoadedTarget } from "./loaded.ts"
import type { Archive, Spooled } from "./spool.ts"

const DEPTH_LIMIT = 4
const NAME = "io.containerd.image.name"
const REF_NAME = "org.opencontainers.image.ref.name"

export async function readLayout(archive: Archive, index: Spooled): Promise<readonly LoadedTarget[]> {
  const document = await readDocument(archive, index, "index.json")
  if (!isIndex(document)) throw new DhowError("invalid", '"index.json" in the image archive lists no manifests')
  const targets = new Map<Digest, { images: readonly StoredImage[]; names: Set<string> }>()
  for (const descriptor of document.manifests) {
    const known = targets.get(descriptor.digest)
    const images = known?.images ?? (await imagesOf(archive, descriptor, { target: descriptor.digest, depth: 0 }))
    const names = known?.names ?? new Set<string>()
    const name = nameOf(descriptor)
    if (name !== undefined) names.add(name)
    if (images.length > 0) targets.set(descriptor.digest, { images, names })
  }
  return [...targets].map(([target, { images, names }]) => ({ target, images, names: [...names] }))
}

/** The full name, where a descriptor has one: a bare tag names no repository. */
function nameOf({ annotations }: Descriptor): string | undefined {
  const text = annotations?.[NAME] ?? annotations?.[REF_NAME]
  if (typeof text !== "string" || (annotations?.[NAME] === undefined && !/[/:]/.test(text))) return undefined
  const reference = withDefaultTag(parseReference(text))
  return reference.digest === undefined ? formatReference(reference) : undefined
}

type Place = { readonly target: Digest; readonly depth: number }

async function imagesOf(archive: Archive, descriptor: Descriptor, place: Place): Promise<readonly StoredImage[]> {
  const { digest } = descriptor
  const file = archive.blob(digest)
  if (file === undefined) {
    if (place.depth > 0) return []
    throw new DhowError("invalid", `Image archive lacks the manifest "${digest}" that its index names`)
  }
  if (file.size !== descriptor.size)
    throw new DhowError("invalid", `Manifest "${digest}" is ${file.size} bytes, not the ${descriptor.size} expected`)
  const document = await readDocument(archive, file, digest)
  if (isIndex(document)) {
    if (place.depth >= DEPTH_LIMIT)
      throw new DhowError("invalid", `Index "${digest}" lies more than ${DEPTH_LIMIT} indexes deep`)
    const images: StoredImage[] = []
    for (const child of document.manifests)
      images.push(...(await imagesOf(archive, child, { ...place, depth: place.depth + 1 })))
    return images
  }
  if (!isManifest(document)) throw new DhowError("invalid", `"${digest}" is neither a manifest nor an index`)
  if (!isImage(descriptor, document)) return []
  const image = await imageOf(archive, document, { ...place, manifest: digest, named: descriptor.platform })
  return image === undefined ? [] : [image]
}

/** Not a signature, an attestation or some other artifact that uses the same format. */
function isImage(descriptor: Descriptor, { config }: Manifest): boolean {
  if (descriptor.annotations?.["vnd.docker.reference.type"] !== undefined) return false
  if (descriptor.platform?.os === "unknown") return false
  return config.mediaType === MEDIA_TYPE.ociConfig || config.mediaType === MEDIA_TYPE.dockerConfig
}

async function imageOf(
  archive: Archive,
  document: Manifest,
  { manifest, named, target, depth }: Place & { readonly manifest: Digest; readonly named: Platform | undefined },
): Promise<StoredImage | undefined> {
  const { digest: id, size } = document.config
  const file = archive.blob(id)
  const layers = document.layers.map((layer) => archive.blob(layer.digest))
  const isPartial = file === undefined || layers.includes(undefined)
  if (isPartial && depth > 0) return undefined
  if (file === undefined) throw new DhowError("invalid", `Image archive lacks the configuration "${id}"`)
  if (file.size !== size)
    throw new DhowError("invalid", `Configuration "${id}" is ${file.size} bytes, not the ${size} expected`)
  const config = parseConfig(await archive.read(file), id)
  if (config.os !== "linux") {
    if (depth > 0) return undefined
    throw new DhowError("invalid", `cannot load ${config.os} image on linux`)
  }
  checkLayers(
    layers,
    config,
    document.layers.map((layer) => layer.digest),
  )
  return { id, manifest, config, variant: variantOf(named, config.architecture), targets: [target] }
}
