// What dhow's own routes say about the disk: what a prune would do. Types only.

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
