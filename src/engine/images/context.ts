// What the image use-cases share. Built once by openImages(); each use-case takes the part that it needs.
import type { ContentStore } from "../../content/contract.ts"
import type { Digest } from "../../oci/digest.ts"
import { familiarReference, parseReference } from "../../oci/reference.ts"
import type { Snapshotter } from "../../snapshot/contract.ts"
import type { BlobPlaces } from "./blob-places.ts"
import type { Configs } from "./configs.ts"
import type { LastUsed } from "./last-used.ts"
import type { LayerSources } from "./layer-sources.ts"
import type { MountRows } from "./mount-rows.ts"
import type { ImageRecords } from "./records.ts"
import type { Referrers } from "./referrers.ts"

/** A container, as far as images care. */
export type ContainerUse = { readonly id: string; readonly imageId: string; readonly running: boolean }

export type ImageAction =
  | "create"
  | "pull"
  | "push"
  | "load"
  | "import"
  | "tag"
  | "untag"
  | "delete"
  | "save"
  | "prune"
  | "mount"
  | "unmount"
  | "gc"
export type EmitImageEvent = (action: ImageAction, id: string, attributes: Readonly<Record<string, string>>) => void

export type ImagesContext = {
  /** State root: whose disk bounds what may be stored, and where distributions are built. */
  readonly root: string
  /** Command line that runs an internal verb of this program: [program, "internal"]. */
  readonly internalCommand: readonly string[]
  readonly records: ImageRecords
  readonly configs: Configs
  readonly layerSources: LayerSources
  readonly blobPlaces: BlobPlaces
  readonly referrers: Referrers
  readonly lastUsed: LastUsed
  readonly content: ContentStore
  readonly snapshotter: Snapshotter
  /** Layers that are fetched and sent at once. */
  readonly transfers: () => { readonly downloads: number; readonly uploads: number }
  readonly emit: EmitImageEvent
  readonly mounts: MountRows
  readonly containers: () => readonly ContainerUse[]
  /** The stacks of diff ids that snapshots stand on, lowest first. */
  readonly layersInUse: () => readonly (readonly Digest[])[]
  /** Deletes what no tag, image, lease or snapshot needs any more. */
  readonly collect: () => Promise<void>
}

/** Docker's attributes of an image event: its labels, and the name it was spoken of by. */
export function emitImageEvent(
  { records, configs, emit }: Pick<ImagesContext, "records" | "configs" | "emit">,
  action: ImageAction,
  image: { readonly id: Digest; readonly actor?: string; readonly name?: string },
): void {
  const { id, actor = id, name = id } = image
  const labels = records.image(id) === undefined ? undefined : configs.labels(id)
  emit(action, actor, { ...labels, name })
}

/** A stored name as Docker shows it: "busybox:latest". */
export function familiar(stored: string): string {
  return familiarReference(parseReference(stored))
}

/** "name@sha256:…" rather than "name:tag". */
export function isCanonical(stored: string): boolean {
  return stored.includes("@")
}

/** The twelve digits that Docker shows of an id. */
export function shortId(id: string): string {
  return id.replace(/^sha256:/, "").slice(0, 12)
}
