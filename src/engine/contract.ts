// What the engine offers to whoever speaks to it (src/api, src/build). One interface per noun; docker's words and
// outcomes; errors are DhowError with Docker's text. References to containers are ids, unique id prefixes or names.
import type { Platform } from "../oci/platform.ts"
import type {
  ContainerConfig,
  ContainerInspect,
  ContainerSummary,
  ContainerTop,
  ContainerWaitResponse,
  ExecConfig,
  ExecInspect,
  FilesystemChange,
  HostConfig,
  NetworkingConfig,
  PathStat,
  Resources,
  RestartPolicy,
} from "../wire/container.ts"
import type { DiskMap, GcReport, GcStatus, PrunePlan } from "../wire/disk.ts"
import type { FsckLine } from "../wire/fsck.ts"
import type { ImageDeleteEntry, ImageHistoryEntry, ImageInspect, ImageSummary, ProgressLine } from "../wire/image.ts"
import type {
  Converted,
  FileDifference,
  FilesLine,
  FilesRequest,
  ImageForest,
  ImageMount,
  Squashed,
} from "../wire/image-contents.ts"
import type { ManifestInspect } from "../wire/manifest.ts"
import type { PlatformStatus } from "../wire/platform.ts"
import type { AuthConfig, AuthResponse, DistributionInspect, SearchResult } from "../wire/registry.ts"
import type { ContainerStats } from "../wire/stats.ts"
import type { DiskUsage, EventMessage, NetworkInspect, VolumeInspect } from "../wire/system.ts"

/** Docker's filters parameter after parsing: name → values, all of one name or-ed, names and-ed. */
export type Filters = ReadonlyMap<string, readonly string[]>

/** 1 is standard output, 2 standard error; a terminal has only 1. */
export type StdStream = 1 | 2

/** Where output goes. A sink that returns false from `write` has taken the chunk, and is asked to be waited for. */
export type OutputSink = {
  write(stream: StdStream, chunk: Uint8Array): boolean
  /** Resolves when more can be taken, or when the sink is gone. */
  drained(): Promise<void>
  /** No more output will come: the process ended, or the reader was detached. */
  end(): void
}

/** Where a client's input goes. Input written before the container starts is kept, up to 1 MiB, then asks to wait. */
export type InputTarget = {
  write(chunk: Uint8Array): boolean
  drained(): Promise<void>
  /** The client has closed its side. */
  end(): void
}

export type AttachOptions = {
  readonly stdin: boolean
  readonly stdout: boolean
  readonly stderr: boolean
  /** Replay what was logged before what comes. */
  readonly logs: boolean
  readonly stream: boolean
  /** docker's notation, "ctrl-p,ctrl-q"; empty for the default. Only looked for when the container has a terminal. */
  readonly detachKeys?: string
}

/** A client's end of an attach or exec; `tty` tells whether to multiplex. */
export type Attachment = {
  readonly tty: boolean
  readonly input: InputTarget
  /** Begins delivery to the sink; call once, after the answer's head was sent. */
  connect(sink: OutputSink): void
  /** Client went away: stop delivering. The container goes on. */
  detach(): void
}

export type LogOptions = {
  readonly follow: boolean
  readonly stdout: boolean
  readonly stderr: boolean
  /** Milliseconds since 1970; fractions allowed. */
  readonly since?: number
  readonly until?: number
  readonly timestamps: boolean
  /** Number of last lines; undefined for all. */
  readonly tail?: number
  readonly signal: AbortSignal
}

export type WaitCondition = "not-running" | "next-exit" | "removed"

export interface Containers {
  create(options: {
    readonly name?: string
    readonly platform?: Platform
    /** What the platform runs as well will do: 386 for amd64, arm/v6 for arm64. */
    readonly compatible?: boolean
    readonly config: ContainerConfig
    readonly hostConfig: HostConfig
    readonly networkingConfig: NetworkingConfig
    /** From the header X-Dhow-Init: where HostConfig.Init is null, an init unless the image's entry point is one. */
    readonly init?: "auto"
  }): Promise<{ Id: string; Warnings: string[] }>
  start(reference: string, options?: { readonly detachKeys?: string }): Promise<"started" | "unchanged">
  /** `timeout` in seconds; -1 waits for ever. */
  stop(
    reference: string,
    options?: { readonly timeout?: number; readonly signal?: string },
  ): Promise<"stopped" | "unchanged">
  restart(reference: string, options?: { readonly timeout?: number; readonly signal?: string }): Promise<void>
  /** `signal` as Docker takes it: "KILL", "SIGKILL" or "9"; empty means KILL. */
  kill(reference: string, signal?: string): Promise<void>
  pause(reference: string): Promise<void>
  unpause(reference: string): Promise<void>
  /** Throws not-found at once; the promise inside resolves when the condition holds. */
  wait(
    reference: string,
    condition: WaitCondition,
    signal: AbortSignal,
  ): Promise<{ readonly result: Promise<ContainerWaitResponse> }>
  remove(
    reference: string,
    options?: { readonly force?: boolean; readonly volumes?: boolean; readonly link?: boolean },
  ): Promise<void>
  list(options: {
    readonly all: boolean
    readonly limit?: number
    readonly size: boolean
    readonly filters: Filters
  }): Promise<ContainerSummary[]>
  inspect(reference: string, options?: { readonly size?: boolean }): Promise<ContainerInspect>
  /** Returns when the head may be sent; lines flow into the sink from `connect` on. */
  logs(
    reference: string,
    options: LogOptions,
  ): Promise<{ readonly tty: boolean; connect(sink: OutputSink): Promise<void> }>
  attach(reference: string, options: AttachOptions): Promise<Attachment>
  resize(reference: string, size: { readonly height: number; readonly width: number }): Promise<void>
  /** What is at a path of it; a symbolic link at the end is not followed. */
  statPath(reference: string, path: string): Promise<PathStat>
  /** A tar archive of what is at a path, named as the path's last component. Read it to its end, or return its iterator. */
  archive(
    reference: string,
    options: { readonly path: string; readonly signal: AbortSignal },
  ): Promise<{ readonly stat: PathStat; readonly archive: AsyncIterable<Uint8Array> }>
  /** Unpacks a tar archive, plain or compressed, into a directory that is there. */
  extract(
    reference: string,
    archive: ReadableStream<Uint8Array>,
    options: {
      readonly path: string
      /** Refuse to put a directory in the place of something else, and the other way round. */
      readonly keepKinds: boolean
      /** What is unpacked belongs to the container's user. */
      readonly chown: boolean
      readonly signal: AbortSignal
    },
  ): Promise<void>
  rename(reference: string, name: string): Promise<void>
  top(reference: string, psArguments: string): Promise<ContainerTop>
  /**
   * What it uses: a reading every second until it is removed, or a single one, compared with one a second before unless
   * `oneShot`. Throws not-found at once.
   */
  stats(
    reference: string,
    options: { readonly stream: boolean; readonly oneShot: boolean; readonly signal: AbortSignal },
  ): Promise<AsyncIterable<ContainerStats>>
  update(reference: string, changes: Resources & { RestartPolicy?: RestartPolicy }): Promise<{ Warnings: string[] }>
  prune(filters: Filters): Promise<{ ContainersDeleted: string[] | null; SpaceReclaimed: number }>
  /** A directory before what changed in it. */
  changes(reference: string): Promise<FilesystemChange[]>
  /** A tar of the whole file system; the signal ends it. */
  export(reference: string, options: { readonly signal: AbortSignal }): Promise<AsyncIterable<Uint8Array>>
  /** Makes an image of the container. Dockerfile lines in `changes` apply to `config`, or else to the container's own. */
  commit(
    reference: string,
    options: {
      /** Name and tag of the image. */
      readonly reference?: string
      readonly comment?: string
      readonly author?: string
      readonly pause: boolean
      readonly changes: readonly string[]
      readonly config?: ContainerConfig
      readonly signal: AbortSignal
    },
  ): Promise<{ readonly id: string }>
}

export interface Execs {
  create(container: string, config: ExecConfig): Promise<{ Id: string }>
  /** Starts it. Detached: resolves with undefined once the process runs. Otherwise the process starts at `connect`. */
  start(
    id: string,
    options: { readonly detach: boolean; readonly tty: boolean; readonly consoleSize?: readonly [number, number] },
  ): Promise<Attachment | undefined>
  inspect(id: string): Promise<ExecInspect>
  resize(id: string, size: { readonly height: number; readonly width: number }): Promise<void>
}

/** Takes progress lines; a caller that went away aborts `signal`. */
export type Progress = (line: ProgressLine) => void

/** Without a level, what is usual. */
export type LayerCompression = { readonly kind: "gzip" | "zstd" | "none"; readonly level?: number }

export interface Images {
  list(options: {
    readonly all: boolean
    readonly filters: Filters
    readonly sharedSize: boolean
    readonly manifests: boolean
  }): Promise<ImageSummary[]>
  inspect(
    reference: string,
    options?: { readonly platform?: Platform; readonly manifests?: boolean },
  ): Promise<ImageInspect>
  history(reference: string, options?: { readonly platform?: Platform }): Promise<ImageHistoryEntry[]>
  /** All platforms that the source holds here, or the named one alone. */
  tag(source: string, target: string, options?: { readonly platform?: Platform }): Promise<void>
  /** With platforms, only those of the name. */
  remove(
    reference: string,
    options: { readonly force: boolean; readonly prune: boolean; readonly platforms?: readonly Platform[] },
  ): Promise<ImageDeleteEntry[]>
  prune(filters: Filters): Promise<{ ImagesDeleted: ImageDeleteEntry[] | null; SpaceReclaimed: number }>
  /** What `prune` with these filters would do, and why. */
  prunePlan(filters: Filters): Promise<PrunePlan>
  /** Collects garbage, and removes images where the disk is fuller than the policy allows. */
  gc(): Promise<GcReport>
  gcStatus(): Promise<GcStatus>
  /**
   * Fetches or, for distro.local, builds. A name without tag and digest means all tags of the repository. Throws after
   * having reported nothing half-done.
   */
  pull(
    reference: string,
    options: {
      readonly platform?: Platform
      /** What the platform runs as well will do: 386 for amd64, arm/v6 for arm64. */
      readonly compatible?: boolean
      readonly allPlatforms?: boolean
      /** Bytes per second, over all transfers of the call. */
      readonly limitRate?: number
      /** The header X-Registry-Auth as it came. */
      readonly auth?: string
      readonly progress: Progress
      readonly signal: AbortSignal
    },
  ): Promise<void>
  /** A name without a tag means all tags of the repository that are here. */
  push(
    reference: string,
    options: {
      readonly platform?: Platform
      /** Every platform that the name has, or an error: never one in the others' place. */
      readonly allPlatforms?: boolean
      /** Bytes per second, over all transfers of the call. */
      readonly limitRate?: number
      /** For layers that have no compressed form yet. */
      readonly compression?: LayerCompression
      /** An error where the registry would know the image by another digest than it came with. */
      readonly sameDigest?: boolean
      /** The header X-Registry-Auth as it came. */
      readonly auth?: string
      readonly progress: Progress
      readonly signal: AbortSignal
    },
  ): Promise<void>
  /** docker-archive or OCI layout, plain, gzip or zstd. */
  load(
    archive: ReadableStream<Uint8Array>,
    options: {
      readonly quiet: boolean
      /** Only images of this platform, exactly; not-found where the archive has none. */
      readonly platform?: Platform
      readonly progress: Progress
      readonly signal: AbortSignal
    },
  ): Promise<void>
  /** A file system tarball becomes an image of one layer. `changes` are Dockerfile lines (CMD, ENV, ...). */
  import(
    archive: ReadableStream<Uint8Array>,
    options: {
      readonly reference?: string
      readonly message?: string
      readonly changes: readonly string[]
      readonly platform?: Platform
      readonly progress: Progress
      readonly signal: AbortSignal
    },
  ): Promise<{ readonly id: string }>
  /** The archive's bytes; each piece is the caller's until he asks for the next one. */
  save(
    references: readonly string[],
    options: { readonly platform?: Platform; readonly signal: AbortSignal },
  ): Promise<AsyncIterable<Uint8Array>>
}

/** How a request speaks to registries. */
export type RegistryUse = {
  /** The header X-Registry-Config as it came: who the user is, by registry. */
  readonly auths?: string
  /** Certificates need not verify, and plain HTTP will do. */
  readonly insecure: boolean
}

/** Lists of manifests, one for each platform: put together here, then pushed. References are as users write them. */
export interface Manifests {
  /** Resolves with the list's canonical name. Entries are images that are here, or else of their registries. */
  create(
    list: string,
    manifests: readonly string[],
    options: RegistryUse & { readonly amend: boolean; readonly signal: AbortSignal },
  ): Promise<{ readonly Reference: string }>
  /** Changes what the list says of an entry's platform. */
  annotate(
    list: string,
    manifest: string,
    changes: {
      readonly os?: string
      readonly architecture?: string
      readonly variant?: string
      readonly osVersion?: string
      readonly osFeatures?: readonly string[]
    },
  ): Promise<void>
  /** A list that is here, else what the registry has; an entry of a list where that is named. */
  inspect(
    reference: string,
    options: RegistryUse & {
      readonly list?: string
      /** No registry is asked. */
      readonly local: boolean
      /** With the manifests that a list names. */
      readonly verbose: boolean
      readonly signal: AbortSignal
    },
  ): Promise<ManifestInspect>
  push(
    list: string,
    options: RegistryUse & { readonly purge: boolean; readonly progress: Progress; readonly signal: AbortSignal },
  ): Promise<void>
  remove(list: string): Promise<void>
}

/** Other registries, beside the moving of images. */
export interface RegistryAccess {
  /** Throws unauthorized, in Docker's words, when the registry does not know the user. */
  login(auth: AuthConfig, options: { readonly signal: AbortSignal }): Promise<AuthResponse>
  /** `term` is a word, or a registry, a slash and a word. */
  search(
    term: string,
    options: {
      readonly limit?: number
      readonly filters: Filters
      /** The header X-Registry-Auth as it came. */
      readonly auth?: string
      readonly signal: AbortSignal
    },
  ): Promise<SearchResult[]>
  /** What a registry has under a name, whatever is here. */
  distribution(
    reference: string,
    options: { readonly auth?: string; readonly signal: AbortSignal },
  ): Promise<DistributionInspect>
}

type ReadImage = { readonly platform?: Platform; readonly signal: AbortSignal }

/** What is in images, and images made of what is in others. */
export interface ImageContents {
  tree(): Promise<ImageForest>
  /** What each layer did. */
  files(reference: string, options: ReadImage & { readonly request: FilesRequest }): Promise<AsyncIterable<FilesLine>>
  /** How two images, or an image and a container, differ; `times`: also where only the time does. */
  difference(
    before: string,
    after: string,
    options: ReadImage & { readonly times: boolean },
  ): Promise<AsyncIterable<FileDifference>>
  /** Makes one layer of all, of those from `from` on (its number from 1, or its digest), or of those above `base`. */
  squash(
    reference: string,
    options: ReadImage & { readonly name?: string; readonly from?: string; readonly base?: string },
  ): Promise<Squashed>
  /** Shows the image's files at `target`, read-only, or at a place of the engine's choice. */
  mount(reference: string, options: { readonly target?: string; readonly platform?: Platform }): Promise<ImageMount>
  /** By the image, all its mounts, or by the absolute path of one. Returns where they were. */
  unmount(reference: string): Promise<readonly string[]>
  mounts(): Promise<ImageMount[]>
  /** Gives the image, or all its platforms, a new name with layers compressed so and media types of that family. */
  convert(
    source: string,
    target: string,
    options: ReadImage & { readonly compression?: LayerCompression; readonly types?: "oci" | "docker" },
  ): Promise<Converted>
}

export interface Events {
  /** Past events from `since` on, then what comes until `until` or the signal. Times in milliseconds since 1970. */
  subscribe(options: {
    readonly since?: number
    readonly until?: number
    readonly filters: Filters
    readonly signal: AbortSignal
  }): AsyncIterable<EventMessage>
}

export interface Networks {
  list(filters: Filters): Promise<NetworkInspect[]>
  inspect(reference: string): Promise<NetworkInspect>
  prune(filters: Filters): Promise<{ NetworksDeleted: string[] | null }>
}

export interface Volumes {
  list(filters: Filters): Promise<VolumeInspect[]>
  inspect(name: string): Promise<VolumeInspect>
  create(options: {
    readonly name?: string
    readonly driver?: string
    readonly options?: Record<string, string>
    readonly labels?: Record<string, string>
  }): Promise<VolumeInspect>
  remove(name: string, options: { readonly force: boolean }): Promise<void>
  prune(filters: Filters): Promise<{ VolumesDeleted: string[]; SpaceReclaimed: number }>
}

export type DiskUsageType = "container" | "image" | "volume" | "build-cache"

export interface System {
  /** Body of GET /info, as Docker's. */
  info(): Promise<Record<string, unknown>>
  /** Body of GET /version, as Docker's. */
  version(): Record<string, unknown>
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

export interface Engine {
  readonly containers: Containers
  readonly execs: Execs
  readonly images: Images
  readonly contents: ImageContents
  readonly registries: RegistryAccess
  readonly manifests: Manifests
  readonly networks: Networks
  readonly volumes: Volumes
  readonly events: Events
  readonly system: System
  readonly platforms: Platforms
}
