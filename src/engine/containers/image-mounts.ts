// Images mounted into a container. Each is a snapshot of its own over the image's layers, so that they stay while the
// container exists; it is mounted beside the container's root for one run, and shown to it read-only.
import { mkdirSync } from "node:fs"
import { join } from "node:path"
import type { Digest } from "../../oci/digest.ts"
import type { Snapshotter } from "../../snapshot/contract.ts"
import type { ContainerPaths } from "./paths.ts"
import type { ContainerRecord, ResolvedMount } from "./record.ts"

const KEY = /^([0-9a-f]{64})-image-\d+$/

/** Of the nth mount. */
export function imageMountKey(id: string, place: number): string {
  return `${id}-image-${place}`
}

/** The container that a snapshot belongs to; undefined for those of other owners. */
export function ownerOfSnapshot(key: string): string | undefined {
  return /^[0-9a-f]{64}$/.test(key) ? key : KEY.exec(key)?.[1]
}

/** The snapshots of a container: its own, and those of the images it mounts. */
export function snapshotKeys({ id, mounts }: Pick<ContainerRecord, "id" | "mounts">): string[] {
  return [id, ...mounts.flatMap((mount, place) => (mount.Type === "image" ? [imageMountKey(id, place)] : []))]
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
  for (const [place, mount] of placed.entries()) {
    if (mount.Type !== "image") continue
    mkdirSync(mount.Source, { recursive: true, mode: 0o700 })
    snapshotter.mount(imageMountKey(id, place), mount.Source)
  }
  return placed
}

/** The mounts with where each image is while the container runs. */
export function placedMounts(
  mounts: readonly ResolvedMount[],
  { images }: Pick<ContainerPaths, "images">,
): readonly ResolvedMount[] {
  return mounts.map((mount, place) =>
    mount.Type === "image" ? { ...mount, Source: join(images, String(place)) } : mount,
  )
}
