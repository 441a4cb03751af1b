// The container as a value: what was asked for (fixed at create, but for the few fields `update` and `rename` change) and
// what was observed since. The row in `containers` is exactly this.
import type { Digest } from "../../oci/digest.ts"
import type { Platform } from "../../oci/platform.ts"
import type { RuntimeResources } from "../../oci/runtime-spec.ts"
import type { LiveMountPlan } from "../../runtime/live-mounts/live-mounts.ts"
import type {
  ContainerConfig,
  EndpointSettings,
  HostConfig,
  MountPoint,
  NetworkingConfig,
  PortMap,
} from "../../wire/container.ts"
import type { Ask, Usage } from "../../wire/exit.ts"
import type { HealthStatus } from "./health.ts"

/** What was asked for, completed from the image and the defaults at create. */
export type ContainerRecord = {
  readonly id: string
  readonly name: string
  /** RFC 3339 with nanoseconds. */
  readonly created: string
  /** As the user wrote it: "busybox", "sha256:…". */
  readonly image: string
  readonly imageId: Digest
  readonly manifest: { readonly mediaType: string; readonly digest: Digest; readonly size: number }
  readonly platform: Platform
  readonly layers: readonly Digest[]
  /** Merged with the image's configuration. */
  readonly config: ContainerConfig
  readonly hostConfig: HostConfig
  readonly networkingConfig: NetworkingConfig
  /** It was disconnected: the networks of `networkingConfig` are all that it is on, without the one of its mode. */
  readonly leftNetworks?: true
  /** The daemon's at create, where the user names none. Absent in rows of old. */
  readonly cgroupParent?: string
  /** Whether its program gets what systemd needs; "auto" where absent: if it is systemd. */
  readonly systemd?: "always" | "never"
  /** Everything mounted into the container, resolved at create; anonymous volumes have their names. */
  readonly mounts: readonly ResolvedMount[]
  /** An update that is under way: undone or finished by reconciliation after a crash. */
  readonly pending?: PendingUpdate | undefined
}

/** What an update may change. */
export type Editable = Pick<
  ContainerRecord,
  "config" | "hostConfig" | "networkingConfig" | "mounts" | "image" | "imageId" | "manifest" | "platform" | "layers"
>

export type PendingUpdate =
  /** Done to the running process, of which the rest of the record does not know yet. Undone: `limits` are those before,
   * `rate` says that the traffic is to be held to what the record has. */
  | {
      readonly kind: "attaching"
      readonly mounts: LiveMountPlan["attach"]
      readonly limits?: RuntimeResources
      readonly rate?: true
    }
  /** To be taken from the running process, which the rest of the record knows already. Finished. */
  | { readonly kind: "detaching"; readonly mounts: readonly { readonly destination: string; readonly least: number }[] }
  /** To be restarted with what the rest of the record says, or else to be as before. Finished, or undone. */
  | {
      readonly kind: "restarting"
      readonly before: Editable
      /** Of the run that ends for it. */
      readonly startedAt: string
      readonly address?: string
    }

/** A mount point with what is needed to make it again at every start. */
export type ResolvedMount = MountPoint & {
  readonly options: readonly string[]
  /** Fill an empty volume from the image's directory at the first start. */
  readonly copyUp: boolean
  /** Make a missing bind source, as `-v` does and `--mount` does not. */
  readonly createSource: boolean
  readonly subpath?: string
  /** Of a mounted image. */
  readonly image?: Digest
  /** Refused where the kernel cannot make what is mounted below it read-only too. */
  readonly forceReadOnly?: boolean
  /** Nobody asked for this propagation: where the source cannot do it, the mount is private. */
  readonly impliedPropagation?: boolean
  /** Of an image that was mounted by an update, or stayed while one changed the list. */
  readonly imagePlace?: number
  /** Removed with the container by `rm -v` and `--rm`. */
  readonly anonymous: boolean
}

/** What happened so far; each field keeps its last value across restarts of the container. */
export type History = {
  readonly startedAt: string
  readonly finishedAt: string
  readonly exitCode: number
  readonly error: string
  readonly oomKilled: boolean
  readonly restartCount: number
  /** Ended by stop or kill: `unless-stopped` then leaves it alone at the next boot of the engine. */
  readonly stoppedByUser: boolean
  /** Absent where no check is configured, and before the first start. */
  readonly health?: HealthStatus
  /** The last signal of this run that came through the engine; what it ended of, or may have. */
  readonly asked?: Ask
  /** Of the last run, once it has ended. */
  readonly usage?: Usage
}

export type ProcessReference = {
  readonly pid: number
  /** Path of the network namespace it was given, for `--network container:`. */
  readonly networkNamespace: string | undefined
  /** What inspect shows of its networks, by name. */
  readonly endpoints: Readonly<Record<string, EndpointSettings>>
  readonly ports: PortMap
}

export type ContainerState = History &
  (
    | { readonly status: "created" | "restarting" | "removing" | "exited" | "dead" }
    | {
        readonly status: "running" | "paused"
        readonly process: ProcessReference
        /** There while a user's stop or restart waits for the end. */
        readonly stop?: StopOrder
      }
  )

/** A stop as the engine that follows a crash has to finish it. */
export type StopOrder = {
  readonly signal: number
  /** The process has been sent it; a crash just before this is noted makes it come twice. */
  readonly isSent: boolean
  /** RFC 3339: SIGKILL follows then. Absent where the process may take as long as it likes. */
  readonly deadline?: string
  /** A start follows. */
  readonly restarts: boolean
}

/** A transition under way: finished or undone by reconciliation after a crash. */
export type Intent = "starting" | "stopping" | "restarting" | "removing" | "freezing" | "committing"

export type Container = {
  readonly record: ContainerRecord
  readonly state: ContainerState
  readonly intent: Intent | undefined
}

export const NEVER = "0001-01-01T00:00:00Z"

export const NEW_STATE: ContainerState = {
  status: "created",
  startedAt: NEVER,
  finishedAt: NEVER,
  exitCode: 0,
  error: "",
  oomKilled: false,
  restartCount: 0,
  stoppedByUser: false,
}

export function isRunning(
  state: ContainerState,
): state is Extract<ContainerState, { readonly status: "running" | "paused" }> {
  return state.status === "running" || state.status === "paused"
}

/** The history alone, to build the next state from. */
export function historyOf(state: ContainerState): History {
  const { startedAt, finishedAt, exitCode, error, oomKilled, restartCount, stoppedByUser } = state
  const { health, asked, usage } = state
  const always = { startedAt, finishedAt, exitCode, error, oomKilled, restartCount, stoppedByUser }
  return {
    ...always,
    ...(health === undefined ? {} : { health }),
    ...(asked === undefined ? {} : { asked }),
    ...(usage === undefined ? {} : { usage }),
  }
}

/** What a new run takes over: nothing of how the last one was asked to end, nor of what it used. */
export function freshRun(state: ContainerState): History {
  const { asked: _asked, usage: _usage, ...history } = historyOf(state)
  return history
}
