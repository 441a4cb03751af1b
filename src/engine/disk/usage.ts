// What the objects of the engine hold on the disk. Walking the files takes a while: callers at the same time share a walk.
import type { DiskUsage } from "../../wire/system.ts"
import type { Containers, DiskUsageType, Images, System } from "../contract.ts"
import type { LayersSize } from "../images/images.ts"
import type { LocalVolumes } from "../volumes/volumes.ts"

type Counted = {
  readonly containers: Pick<Containers, "list">
  readonly images: Pick<Images, "list"> & LayersSize
  readonly volumes: Pick<LocalVolumes, "listWithUsage">
}

const ALL = new Map<string, readonly string[]>()

export function openDiskUsage({ containers, images, volumes }: Counted): System["diskUsage"] {
  const listContainers = shared(() => containers.list({ all: true, size: true, filters: ALL }))
  const listImages = shared(() => images.list({ all: false, sharedSize: true, manifests: false, filters: ALL }))
  const listVolumes = shared(() => volumes.listWithUsage())
  return async (types: ReadonlySet<DiskUsageType>): Promise<DiskUsage> => {
    const [Images, Containers, Volumes] = await Promise.all([
      types.has("image") ? listImages() : null,
      types.has("container") ? listContainers() : null,
      types.has("volume") ? listVolumes() : null,
    ])
    return {
      LayersSize: Images === null ? 0 : images.layersSize(),
      Images,
      Containers,
      Volumes,
      BuildCache: types.has("build-cache") ? [] : null,
    }
  }
}

function shared<T>(work: () => Promise<T>): () => Promise<T> {
  let running: Promise<T> | undefined
  return () => {
    running ??= work().finally(() => {
      running = undefined
    })
    return running
  }
}
