// Which images and containers need a blob or layer, read from what is readable: rows first, and documents where they can
// be parsed. And as what each blob is needed, which says how it can be fetched again.
import { readFileSync } from "node:fs"
import type { ContentStore } from "../../content/contract.ts"
import type { Digest } from "../../oci/digest.ts"
import type { Descriptor } from "../../oci/manifest.ts"
import { familiar, isCanonical, shortId } from "../images/context.ts"
import { isIndex, isManifest, isObject } from "../images/load/documents.ts"
import type { ImageRecords } from "../images/records.ts"
import type { FsckParts } from "./context.ts"

export type Role =
  | { readonly kind: "manifest" }
  | { readonly kind: "config" }
  /** Of a companion of an image: a signature, an attestation. */
  | { readonly kind: "blob" }
  /** `compressed` are the forms of the layer that a registry may have. */
  | { readonly kind: "layer"; readonly compressed: readonly Pick<Descriptor, "digest" | "size">[] }

export type Affected = {
  /** Ids of images that need it. */
  imageIds(digest: Digest): readonly Digest[]
  /** Names of these for people, and repositories that this engine serves it from. */
  images(digest: Digest): readonly string[]
  containers(digest: Digest): readonly string[]
  /** Whether a container that runs stands on this layer. */
  isMounted(layer: Digest): boolean
  role(digest: Digest): Role | undefined
}

const DEPTH_LIMIT = 5

export function affectedBy(
  { database, content, containers }: Pick<FsckParts, "database" | "content" | "containers">,
  records: ImageRecords,
): Affected {
  const needs = new Map<Digest, Set<Digest>>()
  const roles = new Map<Digest, Role>()
  const need = (digest: Digest, id: Digest, role: Role): void => {
    needs.set(digest, (needs.get(digest) ?? new Set()).add(id))
    const known = roles.get(digest)
    if (known?.kind === "layer" && role.kind === "layer")
      roles.set(digest, { kind: "layer", compressed: [...known.compressed, ...role.compressed] })
    else if (known === undefined) roles.set(digest, role)
  }
  const targets = Map.groupBy(records.targets(), (row) => row.image_id)
  const ofImages = new Set(records.images().map(({ manifest }) => manifest))
  const referrers = database.query<{ digest: Digest }, { subject: string }>(
    "SELECT digest FROM referrers WHERE subject = $subject",
  )
  /** Everything from a manifest on, but for the images of other platforms. */
  const walk = (digest: Digest, { id, manifest, depth }: { id: Digest; manifest: Digest; depth: number }): void => {
    need(digest, id, { kind: "manifest" })
    if (depth === DEPTH_LIMIT) return
    const document = documentOf(content, digest)
    const below = { id, manifest, depth: depth + 1 }
    for (const { digest: referrer } of referrers.all({ subject: digest })) walk(referrer, below)
    if (isIndex(document)) {
      for (const { digest: child } of document.manifests)
        if (content.has(child) && (child === manifest || !ofImages.has(child))) walk(child, below)
    } else if (isManifest(document) && digest !== manifest)
      for (const blob of [document.config, ...document.layers])
        if (content.has(blob.digest)) need(blob.digest, id, { kind: "blob" })
  }
  for (const { id, manifest } of records.images()) {
    need(id, id, { kind: "config" })
    walk(manifest, { id, manifest, depth: 0 })
    for (const { target } of targets.get(id) ?? []) if (target !== manifest) walk(target, { id, manifest, depth: 0 })
    const document = documentOf(content, manifest)
    const described = isManifest(document) ? document.layers : []
    for (const [at, layer] of layersOf(content, id).entries()) {
      const compressed = described[at] === undefined ? [] : [described[at]]
      need(layer, id, { kind: "layer", compressed })
    }
  }

  const users = new Map<Digest, Set<string>>()
  const mounted = new Set<Digest>()
  for (const { record, state } of containers.all()) {
    for (const layer of record.layers) {
      users.set(layer, (users.get(layer) ?? new Set()).add(record.name))
      if (state.status === "running" || state.status === "paused") mounted.add(layer)
    }
    users.set(record.imageId, (users.get(record.imageId) ?? new Set()).add(record.name))
  }
  const served = database.query<{ repository: string }, { digest: string }>(
    `SELECT repository FROM registry_manifests WHERE content = $digest
      UNION SELECT repository FROM registry_blobs WHERE content = $digest`,
  )
  const imageIds = (digest: Digest): readonly Digest[] => [...(needs.get(digest) ?? [])]
  return {
    imageIds,
    images: (digest) => [
      ...imageIds(digest).map((id) => nameOf(records, id)),
      ...served.all({ digest }).map(({ repository }) => `${repository} (served)`),
    ],
    containers: (digest) => [...new Set([digest, ...imageIds(digest)].flatMap((one) => [...(users.get(one) ?? [])]))],
    isMounted: (layer) => mounted.has(layer),
    role: (digest) => roles.get(digest),
  }
}

export function nameOf(records: ImageRecords, id: Digest): string {
  const names = records.tagsOf(id).map(({ reference }) => reference)
  const [name = undefined] = [...names.filter((one) => !isCanonical(one)), ...names]
  return name === undefined ? shortId(id) : familiar(name)
}

export function layersOf(content: ContentStore, id: Digest): readonly Digest[] {
  const document = documentOf(content, id)
  const layers = isObject(document) && isObject(document["rootfs"]) ? document["rootfs"]["diff_ids"] : []
  return Array.isArray(layers) ? (layers.filter((layer) => typeof layer === "string") as Digest[]) : []
}

/** Undefined where it cannot be read: what is wrong with it, the check of its bytes says. */
export function documentOf(content: ContentStore, digest: Digest): unknown {
  try {
    return JSON.parse(readFileSync(content.path(digest), "utf8"))
  } catch {
    return undefined
  }
}
