// What dhow's own routes say about the disk: what a prune would do, and how the engine keeps it from filling up. Types only.

/** Body of GET /dhow/images/prune: what POST /images/prune with the same filters would do. */
export type PrunePlan = {
  readonly Images: readonly PrunePlanEntry[]
  /** Bytes of layers that nothing would need any more. */
  readonly SpaceReclaimable: number
}

export type PrunePlanEntry = {
  readonly Id: string
  readonly Names: readonly string[]
  readonly Digests: readonly string[]
  readonly Platforms: readonly string[]
  readonly Size: number
  readonly LastUsed: string
  readonly Remove: boolean
  readonly Reason: string
}

/** Body of GET /dhow/gc. */
export type GcStatus = {
  /** Null where the configuration has none. Max and Floor are shares of the file system, from 0 to 1. */
  readonly Policy: {
    readonly Max: number
    readonly Floor: number
    readonly UnusedMilliseconds: number
    readonly KeepLast: number
    readonly Protect: readonly string[]
  } | null
  /** Bytes of the file system of the state root. */
  readonly Used: number
  readonly Total: number
  readonly LastRun: GcReport | null
  /** Those that would go now, first the first; then the others. Empty without a policy. */
  readonly Images: readonly PrunePlanEntry[]
}

/** Body of POST /dhow/gc. */
export type GcReport = {
  readonly At: string
  readonly Removed: readonly (PrunePlanEntry & { readonly Freed: number })[]
  /** Bytes, garbage included. */
  readonly SpaceReclaimed: number
  readonly Used: number
  readonly Total: number
}

/** Body of GET /dhow/disk: bytes on the disk, each counted once; all but Total and Shared add up to Total. */
export type DiskMap = {
  readonly Root: string
  /** The sum of all; what du says of the state root. */
  readonly Total: number
  /** Unique: gone with the image. Shared: needed by others too, and counted in SharedByImages. */
  readonly Images: readonly {
    readonly Id: string
    readonly Names: readonly string[]
    readonly Unique: number
    readonly Shared: number
  }[]
  readonly SharedByImages: number
  readonly ServedByRegistry: number
  /** Blobs and layers that nothing needs: leased by what is going on, or gone with the next collection. */
  readonly Garbage: number
  readonly Containers: readonly {
    readonly Id: string
    readonly Name: string
    readonly Written: number
    readonly Logs: number
    readonly Other: number
  }[]
  readonly Volumes: readonly { readonly Name: string; readonly Size: number }[]
  /** Writable file systems of no container: of builds. */
  readonly Snapshots: number
  readonly PartialDownloads: number
  /** Being stored now. */
  readonly Ingests: number
  /** Being deleted now. */
  readonly Trash: number
  /** Files that no row names. */
  readonly Strays: number
  /** Uploads and fetches of the registry under way. */
  readonly Registry: number
  /** Of containers that are gone. */
  readonly KeptLogs: number
  readonly Database: number
  /** Given up when the disk is full, so that removals and exits can be written. */
  readonly Reserve: number
  /** The engine's directories themselves. */
  readonly Directories: number
  /** What lies in the state root and is not the engine's. */
  readonly Unknown: number
}
