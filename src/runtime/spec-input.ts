// What containerSpec is given: everything that had to be looked up is looked up already, so that the spec itself is a
// pure function of these values.
import type { DeviceRule, RuntimeDevice, RuntimeMount, ThrottleLimit, WeightLimit } from "../oci/runtime-spec.ts"
import type { ContainerConfig, HostConfig } from "../wire/container.ts"
import type { HostFacts } from "./host-facts.ts"

export type ResolvedUser = {
  readonly uid: number
  readonly gid: number
  /** Supplementary groups; Docker puts the primary group first. */
  readonly additionalGids: readonly number[]
  readonly home: string
}

/** "private": a new namespace; "host": the engine's own; or the one at a path ("/proc/42/ns/ipc"). */
export type NamespaceChoice = "private" | "host" | { readonly path: string }

/** Host devices with their numbers, as `resolveDevices` finds them. */
export type ResolvedDevices = {
  readonly devices: readonly RuntimeDevice[]
  readonly rules: readonly DeviceRule[]
  readonly weights: readonly WeightLimit[]
  readonly readBps: readonly ThrottleLimit[]
  readonly writeBps: readonly ThrottleLimit[]
  readonly readIOps: readonly ThrottleLimit[]
  readonly writeIOps: readonly ThrottleLimit[]
  readonly warnings: readonly string[]
}

export type SpecInput = {
  readonly id: string
  /** Host name inside; ignored when the UTS namespace is the host's. */
  readonly hostname: string
  /** The container's configuration merged with its image's: Env, Entrypoint, Cmd, WorkingDir and User are final. */
  readonly config: ContainerConfig
  readonly hostConfig: HostConfig
  /** Variables that containers it is linked to bring along. */
  readonly linked?: readonly string[]
  /** Absolute path of the mounted root file system. */
  readonly rootfs: string
  /**
   * What is mounted beyond the defaults: binds, volumes, tmpfs of `Mounts` (see `tmpfsMount`), /etc/hosts and the like,
   * and /dev/shm where it is shared. `HostConfig.Tmpfs` is read by the spec itself and must not be repeated here.
   */
  readonly mounts: readonly RuntimeMount[]
  /** Propagation of the root mount that the binds need ("shared", "rslave"); undefined for the runtime's default. */
  readonly rootfsPropagation?: string
  /** From `resolveUser`. */
  readonly user: ResolvedUser
  /** From `resolveDevices`. */
  readonly devices: ResolvedDevices
  readonly network: NamespaceChoice
  /** Settings of single interfaces of the network namespace, which are there already. */
  readonly interfaceSysctls?: Readonly<Record<string, string>>
  readonly pid: NamespaceChoice
  readonly ipc: NamespaceChoice
  readonly uts: NamespaceChoice
  readonly cgroup: NamespaceChoice
  /** "host" unless ids are mapped. */
  readonly userns?: NamespaceChoice
  /** Path of catatonit on the host, or undefined for no init. */
  readonly init: string | undefined
  /** "/dhow/<id>" */
  readonly cgroupsPath: string
  readonly host: HostFacts
}
