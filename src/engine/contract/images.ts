// Images, as the engine offers them: what comes, what is here, what goes, and what is in them.
import type { Platform } from "../../oci/platform.ts"
import type { GcReport, GcStatus, PrunePlan } from "../../wire/disk.ts"
import type { ImageDeleteEntry, ImageHistoryEntry, ImageInspect, ImageSummary, ProgressLine } from "../../wire/image.ts"
import type {
  Converted,
  FileDifference,
  FilesLine,
  FilesRequest,
  ImageForest,
  ImageMount,
  Squashed,
} from "../../wire/image-contents.ts"
import type { Filters } from "./filters.ts"

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
  /** A file system tarball, a stream or an address to fetch it from, becomes an image of one layer. `changes` are Dockerfile lines (CMD, ENV, ...). */
  import(
    archive: ReadableStream<Uint8Array> | { readonly address: string },
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
