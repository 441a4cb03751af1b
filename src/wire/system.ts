// The Docker Engine API's events, networks, volumes and system objects (API 1.51). Types only.
import type { ContainerSummary } from "./container.ts"
import type { ImageSummary } from "./image.ts"

export type EventType = "container" | "image" | "network" | "volume" | "daemon" | "builder"

export type EventMessage = {
  status?: string
  id?: string
  from?: string
  Type: EventType
  Action: string
  Actor: { ID: string; Attributes: Record<string, string> }
  scope: "local"
  /** Seconds since 1970. */
  time: number
  /** Nanoseconds since 1970; beyond 2^53, so rounded by JSON readers in JavaScript. */
  timeNano: number
}

export type NetworkInspect = {
  Name: string
  Id: string
  Created: string
  Scope: string
  Driver: string
  EnableIPv4: boolean
  EnableIPv6: boolean
  IPAM: {
    Driver: string
    Options: Record<string, string> | null
    Config: { Subnet?: string; IPRange?: string; Gateway?: string; AuxiliaryAddresses?: Record<string, string> }[]
  }
  Internal: boolean
  Attachable: boolean
  Ingress: boolean
  ConfigFrom: { Network: string }
  ConfigOnly: boolean
  Containers: Record<
    string,
    { Name: string; EndpointID: string; MacAddress: string; IPv4Address: string; IPv6Address: string }
  >
  Options: Record<string, string>
  Labels: Record<string, string>
}

/** A container that mounts a volume. Not Docker's. */
export type VolumeUser = {
  Id: string
  Name: string
  Running: boolean
  Destinations: string[]
  ReadOnly: boolean
}

export type VolumeInspect = {
  CreatedAt?: string
  Driver: string
  Labels: Record<string, string> | null
  Mountpoint: string
  Name: string
  Options: Record<string, string> | null
  Scope: string
  UsageData?: { Size: number; RefCount: number }
  /** Not Docker's: what stays when the name changes. */
  Id?: string
  /** Not Docker's, and of one volume only: the end of the last container that had it, or now where one runs. */
  LastUsedAt?: string | null
  UsedBy?: VolumeUser[]
}

/** GET /dhow/volumes/{name}: what Docker shows, and what has to be looked for on the disk. */
export type VolumeDetail = VolumeInspect & {
  Id: string
  LastUsedAt: string | null
  UsedBy: VolumeUser[]
  /** Of its files; null where these are elsewhere, and nobody uses them now. */
  Bytes: number | null
  /** Bytes that it may hold. */
  Limit: number | null
  LimitedBy: "image" | "quota" | null
  Mounted: boolean
  /** Names, oldest first. */
  Snapshots: string[]
}

export type VolumeSnapshotSummary = { Name: string; CreatedAt: string; Files: number; Bytes: number }

/** A line of what clone, snapshot and restore answer: how far they are, and last what came of it. */
export type VolumeProgress =
  | { Files: number; Bytes: number; Shared: number }
  | { Volume: VolumeInspect }
  | { Snapshot: VolumeSnapshotSummary }

/** Body of GET /system/df; null for what was not asked for. */
export type DiskUsage = {
  /** Bytes of all images together, a layer that several have counted once. */
  LayersSize: number
  Images: ImageSummary[] | null
  Containers: ContainerSummary[] | null
  Volumes: VolumeInspect[] | null
  BuildCache: BuildCacheRecord[] | null
}

export type BuildCacheRecord = {
  ID: string
  Parents?: string[]
  Type: string
  Description: string
  InUse: boolean
  Shared: boolean
  Size: number
  CreatedAt: string
  LastUsedAt: string | null
  UsageCount: number
}
