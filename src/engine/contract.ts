// What the engine offers to whoever speaks to it (src/api, src/build). One interface per noun; docker's words and
// outcomes; errors are DhowError with Docker's text. References to containers are ids, unique id prefixes or names.
import type { Platform } from "../oci/platform.ts"
import type { ConfigEdit, ConfigReload, ConfigReport } from "../wire/config.ts"
import type { DiskMap } from "../wire/disk.ts"
import type { FsckLine } from "../wire/fsck.ts"
import type { NetworkCreateRequest, NetworkCreateResponse } from "../wire/network.ts"
import type { NetworkMap } from "../wire/network-map.ts"
import type { PlatformStatus } from "../wire/platform.ts"
import type { DiskUsage, EventMessage, NetworkInspect } from "../wire/system.ts"
import type { Containers, Execs } from "./contract/containers.ts"
import type { Exits } from "./contract/exits.ts"
import type { Filters } from "./contract/filters.ts"
import type { ImageContents, Images } from "./contract/images.ts"
import type { Logs } from "./contract/logs.ts"
import type { NameService } from "./contract/names.ts"
import type { Manifests, RegistryAccess } from "./contract/registries.ts"
import type { Volumes, VolumeWork } from "./contract/volumes.ts"

export type { Caller, Containers, Execs, WaitCondition } from "./contract/containers.ts"
export type { Filters } from "./contract/filters.ts"
export type { ImageContents, Images, LayerCompression, Progress } from "./contract/images.ts"
export type { Manifests, RegistryAccess, RegistryUse } from "./contract/registries.ts"
export type { Attachment, AttachOptions, InputTarget, LogOptions, OutputSink, StdStream } from "./contract/streams.ts"
export type { Volumes, VolumeWork } from "./contract/volumes.ts"

export interface Events {
  /**
   * Past events from `since` on, or from the first where there is only `until`; then what comes until `until` or the
   * signal. Times in milliseconds since 1970.
   */
  subscribe(options: {
    readonly since?: number
    readonly until?: number
    readonly filters: Filters
    readonly signal: AbortSignal
  }): AsyncIterable<EventMessage>
}

export interface Networks {
  create(request: NetworkCreateRequest): Promise<NetworkCreateResponse>
  remove(reference: string): Promise<void>
  list(filters: Filters): Promise<NetworkInspect[]>
  inspect(reference: string): Promise<NetworkInspect>
  /** Of all networks, or of those that are named by name or id. */
  map(references: readonly string[]): Promise<NetworkMap>
  prune(filters: Filters): Promise<{ NetworksDeleted: string[] | null }>
}

export type DiskUsageType = "container" | "image" | "volume" | "build-cache"

export interface System {
  /** Body of GET /info, as Docker's. */
  info(): Promise<Record<string, unknown>>
  /** Body of GET /version, as Docker's. */
  version(): Promise<Record<string, unknown>>
  /** What the objects of these types hold on the disk. */
  diskUsage(types: ReadonlySet<DiskUsageType>): Promise<DiskUsage>
  /** Every byte under the state root, and whose it is. */
  diskMap(): Promise<DiskMap>
  /** Verifies everything that is stored. Throws conflict where that is going on already. */
  fsck(
    options: { readonly repair: boolean; readonly rate?: number; readonly signal: AbortSignal },
    say: (line: FsckLine) => void,
  ): Promise<void>
}

/** What this host runs, by itself or emulated. */
export interface Platforms {
  list(): Promise<PlatformStatus[]>
  /** Registers the installed emulators with the kernel: of these platforms, or of all. */
  install(platforms: readonly Platform[]): Promise<PlatformStatus[]>
  /** Takes registrations back, whoever made them. */
  remove(platforms: readonly Platform[]): Promise<PlatformStatus[]>
}

/** What the engine is told to do, and what another reading of that would change. */
export interface Configuration {
  report(): ConfigReport
  /** Throws "invalid" with the place for files that cannot be meant; nothing has changed then. */
  reload(options?: { readonly dryRun?: boolean }): Promise<ConfigReload>
  /** Changes dhow's own file, and reads it. */
  edit(edit: ConfigEdit, options?: { readonly dryRun?: boolean }): Promise<ConfigReload>
}

export interface Engine {
  readonly containers: Containers
  readonly execs: Execs
  readonly images: Images
  readonly contents: ImageContents
  readonly registries: RegistryAccess
  readonly manifests: Manifests
  readonly networks: Networks
  readonly names: NameService
  readonly volumes: Volumes
  readonly volumeWork: VolumeWork
  readonly events: Events
  readonly exits: Exits
  readonly logs: Logs
  readonly system: System
  readonly platforms: Platforms
  readonly config: Configuration
}
