// Images mounted into a container. Each is a snapshot of its own over the image's layers, so that they stay while the
// container exists; it is mounted beside the container's root for one run, and shown to it read-only.
import { mkdirSync } from "node:fs"
import { join } from "node:path"
import type { Digest } from "../../oci/digest.ts"
import type { Snapshotter } from "../../snapshot/contract.ts"
import type { ContainerPaths } from "./paths.ts"
import type { ContainerRecord, ResolvedMount } from "./record.ts"

const KEY = /^([0-9a-f]{64})-image-\d+$/

/** A number that stays a mount's when others come and go: its place among the mounts that create made, or one given later. */
export function placeOf(mount: ResolvedMount, index: number): number {
  return mount.imagePlace ?? index
}

/** `place` is `placeOf` the mount. */
export function imageMountKey(id: string, place: number): string {
  return `${id}-image-${place}`
}

/** The container that a snapshot belongs to; undefined for those of other owners. */
export function ownerOfSnapshot(key: string): string | undefined {
  return /^[0-9a-f]{64}$/.test(key) ? key : KEY.exec(key)?.[1]
}

/** The snapshots of a container: its own, and those of the images it mounts. */
export function snapshotKeys({ id, mounts }: Pick<ContainerRecord, "id" | "mounts">): string[] {
  return [id, ...mounts.flatMap((mount, at) => (mount.Type === "image" ? [imageMountKey(id, placeOf(mount, at))] : []))]
}

/** The images that a container needs: its own, and those that it mounts. */
export function imagesOf({ imageId, mounts }: Pick<ContainerRecord, "imageId" | "mounts">): readonly Digest[] {
  return [...new Set([imageId, ...mounts.flatMap(({ image }) => (image === undefined ? [] : [image]))])]
}

/** Mounts the images; `removeBundle` takes them away. Returns the same mounts, with where each image is. */
export function mountImages(
  snapshotter: Pick<Snapshotter, "mount">,
  { id, mounts }: Pick<ContainerRecord, "id" | "mounts">,
  paths: Pick<ContainerPaths, "images">,
): readonly ResolvedMount[] {
  const placed = placedMounts(mounts, paths)
  for (const [at, mount] of placed.entries()) {
    if (mount.Type !== "image") continue
    mkdirSync(mount.Source, { recursive: true, mode: 0o700 })
    snapshotter.mount(imageMountKey(id, placeOf(mount, at)), mount.Source)
  }
  return placed
}

/** The mounts with where each image is while the container runs. */
export function placedMounts(
  mounts: readonly ResolvedMount[],
  { images }: Pick<ContainerPaths, "images">,
): readonly ResolvedMount[] {
  return mounts.map((mount, at) =>
    mount.Type === "image" ? { ...mount, Source: join(images, String(placeOf(mount, at))) } : mount,
  )
}

/** The same mounts, each image with a place that stays its own in whatever order they will be. */
export function withPlaces(mounts: readonly ResolvedMount[]): readonly ResolvedMount[] {
  return mounts.map((mount, at) => (mount.Type === "image" ? { ...mount, imagePlace: placeOf(mount, at) } : mount))
}

/** New mounts beside `others`, each image with a place that nobody has. */
export function withNewPlaces(mounts: readonly ResolvedMount[], others: readonly ResolvedMount[]): ResolvedMount[] {
  let next = Math.max(0, ...others.map((mount, at) => placeOf(mount, at) + 1))
  return mounts.map((mount) => (mount.Type === "image" ? { ...mount, imagePlace: next++ } : mount))
}

/** Makes the snapshots of images that are about to be mounted; what a crash left there is made anew. */
export async function prepareImages(
  snapshotter: Pick<Snapshotter, "prepare" | "remove">,
  { id, mounts }: Pick<ContainerRecord, "id" | "mounts">,
  layersOf: (image: Digest) => readonly Digest[],
): Promise<void> {
  for (const [at, mount] of mounts.entries()) {
    if (mount.image === undefined) continue
    const key = imageMountKey(id, placeOf(mount, at))
    await snapshotter.remove(key)
    snapshotter.prepare(key, layersOf(mount.image))
  }
}

/** Of mounts that the container does not have any more. */
export async function removeImages(
  snapshotter: Pick<Snapshotter, "remove">,
  container: Pick<ContainerRecord, "id" | "mounts">,
): Promise<void> {
  for (const key of snapshotKeys(container).slice(1)) await snapshotter.remove(key)
}
