// Containers and execs, as the engine offers them. References are ids, unique id prefixes or names.
import type { Platform } from "../../oci/platform.ts"
import type {
  ContainerConfig,
  ContainerInspect,
  ContainerSummary,
  ContainerTop,
  ContainerWaitResponse,
  EndpointSettings,
  ExecConfig,
  ExecInspect,
  FilesystemChange,
  HostConfig,
  NetworkingConfig,
  PathStat,
} from "../../wire/container.ts"
import type { Asker } from "../../wire/exit.ts"
import type { ContainerStats } from "../../wire/stats.ts"
import type { ContainerUpdateRequest, ContainerUpdateResponse } from "../../wire/update.ts"
import type { Filters } from "./filters.ts"
import type { Attachment, AttachOptions, LogOptions, OutputSink } from "./streams.ts"

/** Who asks, as the kernel knows the other end of a unix socket. */
export type Caller = { readonly uid: number; readonly gid: number; readonly groups: readonly number[] }

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
    /** From the header X-Dhow-Systemd: whether the program gets what systemd needs, where it is not to be found out. */
    readonly systemd?: "always" | "never"
    /** For clients older than 1.44, whose read-only binds are so on their top level only. */
    readonly readOnlyNonRecursive?: boolean
    /** Asked for where "me" is mapped, or the user is "host". */
    readonly caller?: () => Caller | undefined
  }): Promise<{ Id: string; Warnings: string[] }>
  start(reference: string, options?: { readonly detachKeys?: string }): Promise<"started" | "unchanged">
  /** `timeout` in seconds; -1 waits for ever. */
  stop(
    reference: string,
    options?: { readonly timeout?: number; readonly signal?: string; readonly by?: Asker | undefined },
  ): Promise<"stopped" | "unchanged">
  restart(
    reference: string,
    options?: { readonly timeout?: number; readonly signal?: string; readonly by?: Asker | undefined },
  ): Promise<void>
  /** `signal` as Docker takes it: "KILL", "SIGKILL" or "9"; empty means KILL. */
  kill(reference: string, signal?: string, options?: { readonly by?: Asker | undefined }): Promise<void>
  pause(reference: string): Promise<void>
  unpause(reference: string): Promise<void>
  /** Throws not-found at once; the promise inside resolves when the condition holds. */
  wait(
    reference: string,
    condition: WaitCondition,
    signal: AbortSignal,
  ): Promise<{ readonly result: Promise<ContainerWaitResponse> }>
  /** `warning`: what of it hangs in the kernel, and is taken away when it lets go. */
  remove(
    reference: string,
    options?: {
      readonly force?: boolean
      readonly volumes?: boolean
      readonly link?: boolean
      /** Milliseconds that its log is kept; as its log options say where absent. */
      readonly keepLogs?: number | undefined
      readonly by?: Asker | undefined
    },
  ): Promise<{ readonly warning?: string }>
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
  /** Running or not; `network` by name or id. */
  connect(reference: string, network: string, settings: EndpointSettings): Promise<void>
  /** With force, a network that is gone too. */
  disconnect(reference: string, network: string, options?: { readonly force?: boolean }): Promise<void>
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
  /** Changes what it was created with; each change says when it takes effect. All of it is done, or nothing. */
  update(
    reference: string,
    changes: ContainerUpdateRequest,
    options?: { readonly caller?: () => Caller | undefined },
  ): Promise<ContainerUpdateResponse>
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
  create(
    container: string,
    config: ExecConfig,
    options?: { readonly caller?: () => Caller | undefined },
  ): Promise<{ Id: string }>
  /** Starts it. Detached: resolves with undefined once the process runs. Otherwise the process starts at `connect`. */
  start(
    id: string,
    options: { readonly detach: boolean; readonly tty: boolean; readonly consoleSize?: readonly [number, number] },
  ): Promise<Attachment | undefined>
  inspect(id: string): Promise<ExecInspect>
  resize(id: string, size: { readonly height: number; readonly width: number }): Promise<void>
}
