// What the container use-cases are made of. Built once in daemon.ts; every use-case takes it as its first parameter.
import type { Config } from "../../config.ts"
import type { Background } from "../../lib/background.ts"
import type { KeyedLock } from "../../lib/keyed-lock.ts"
import type { Networks } from "../../network/contract.ts"
import type { Digest } from "../../oci/digest.ts"
import type { ImageConfig } from "../../oci/image-config.ts"
import type { Platform } from "../../oci/platform.ts"
import type { Runtime } from "../../runtime/contract.ts"
import type { HostFacts } from "../../runtime/host-facts.ts"
import type { Snapshotter } from "../../snapshot/contract.ts"
import type { Copies } from "../../snapshot/copies.ts"
import type { Uppers } from "../../snapshot/uppers.ts"
import type { Supervisor } from "../../supervisor/contract.ts"
import type { Asker } from "../../wire/exit.ts"
import type { EventLog } from "../events.ts"
import type { ExitTable } from "../exits/table.ts"
import type { Committer } from "../images/commit.ts"
import type { LogForwarders } from "../logging/forwarders.ts"
import type { KeptLogs } from "../logging/kept.ts"
import type { LocalVolumes } from "../volumes/volumes.ts"
import type { LiveContainers } from "./live.ts"
import type { Readers } from "./readers.ts"
import type { ContainerStore } from "./store.ts"

/** What a container needs to know of its image. */
export type RunnableImage = {
  readonly id: Digest
  readonly manifest: Digest
  readonly platform: Platform
  readonly config: ImageConfig
  readonly layers: readonly Digest[]
}

export type ProbeOptions = {
  /** Milliseconds from the begin of the process on. */
  readonly timeout: number
  /** Gives up: what the probe would have said is of no interest any more. */
  readonly signal: AbortSignal
}

export type ProbeOutcome = { readonly exitCode: number; readonly output: string }

export type ContainerParts = {
  /** Its values are those of the moment; nobody keeps one. */
  readonly config: Config
  /** Reads the configuration's files again where they have changed. */
  readonly refreshConfig: () => void
  readonly store: ContainerStore
  readonly live: LiveContainers
  readonly locks: KeyedLock
  readonly background: Background
  readonly events: EventLog
  readonly exits: ExitTable
  readonly volumes: LocalVolumes
  readonly snapshotter: Snapshotter
  /** What was written to snapshots, read. */
  readonly uppers: Uppers
  readonly copies: Copies
  readonly readers: Readers
  readonly networks: Networks
  readonly supervisor: Supervisor
  readonly forwarders: LogForwarders
  readonly keptLogs: KeptLogs
  /** Throws for an unknown name. */
  readonly runtime: (name: string) => Runtime
  /** Program and arguments by name, as they are configured. */
  readonly runtimes: () => ReadonlyMap<string, { readonly path: string; readonly runtimeArgs?: readonly string[] }>
  /** Of those that can be used now. */
  readonly runtimeNames: () => readonly string[]
  readonly host: HostFacts
  /** Path of catatonit, or undefined where it is not installed. */
  readonly initPath: string | undefined
  readonly resolveImage: (
    reference: string,
    platform?: Platform,
    choice?: { readonly compatible: boolean },
  ) => RunnableImage
  /** Of a manifest that is here. */
  readonly describeManifest: (digest: Digest) => { readonly mediaType: string; readonly size: number } | undefined
  /** The ids of all platforms that the reference leads to; empty where there is none. */
  readonly imageIds: (reference: string) => readonly Digest[]
  /** Starts a container whose lock is held: what a restart by policy calls, which start itself leads to. It is the nth of those. */
  readonly start: (id: string, restarts: number) => Promise<unknown>
  /** Ends or restarts a container on the engine's own wish; throws where it does not run. A kill leaves it to its restart policy. */
  readonly act: (id: string, action: "stop" | "restart" | "kill", by: Asker) => Promise<unknown>
  /** Runs a command in a running container to its end: what a health check is made of. */
  readonly probe: (id: string, command: readonly string[], options: ProbeOptions) => Promise<ProbeOutcome>
  /** Resolved when the boot has made rows and reality agree: no restart by policy before that. */
  readonly booted: PromiseWithResolvers<void>
  /** Throws for what cannot be meant; what it returns makes the image of a layer's tar. */
  readonly prepareCommit: Committer
  readonly imageUsed: (id: Digest) => void
}
