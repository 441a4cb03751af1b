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
