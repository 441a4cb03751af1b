// Body and answer of POST /containers/{id}/update: Docker's fields (resources and restart policy), and dhow's own, which
// change everything else of a container. Absent means "leave it".
import type { Healthcheck } from "../oci/image-config.ts"
import type { ContainerConfig, HostConfig, Mount, PortMap, Resources, RestartPolicy } from "./container.ts"

/** Of the configuration: what is given replaces what is there. */
export type ReplacedConfig = Pick<
  ContainerConfig,
  | "Hostname"
  | "Domainname"
  | "User"
  | "Tty"
  | "OpenStdin"
  | "StdinOnce"
  | "Cmd"
  | "Entrypoint"
  | "WorkingDir"
  | "StopSignal"
  | "StopTimeout"
  | "Image"
>

/** Of the host configuration: what is given replaces what is there. */
export type ReplacedHostConfig = Pick<
  HostConfig,
  | "LogConfig"
  | "NetworkMode"
  | "AutoRemove"
  | "Annotations"
  | "CapAdd"
  | "CapDrop"
  | "CgroupnsMode"
  | "Dns"
  | "DnsOptions"
  | "DnsSearch"
  | "ExtraHosts"
  | "GroupAdd"
  | "IpcMode"
  | "OomScoreAdj"
  | "PidMode"
  | "Privileged"
  | "PublishAllPorts"
  | "ReadonlyRootfs"
  | "SecurityOpt"
  | "UTSMode"
  | "ShmSize"
  | "Sysctls"
  | "Runtime"
  | "Init"
  | "HealthAction"
  | "Timeout"
  | "Requires"
  | "NetRate"
>

export type ContainerEdit = ReplacedConfig &
  ReplacedHostConfig & {
    /** Ports to publish besides those that are. */
    PublishAdd?: PortMap
    /** Ports not to publish any more: all bindings of a port where none is named. */
    PublishRm?: PortMap
    MountAdd?: Mount[]
    /** Where mounts lie in the container. */
    MountRm?: string[]
    /** "NAME=value"; the others stay. */
    EnvAdd?: string[]
    EnvRm?: string[]
    LabelAdd?: Record<string, string>
    LabelRm?: string[]
    /** What is given replaces; Test ["NONE"] ends the checks. */
    Healthcheck?: Healthcheck
    /** Names of resources to be without a limit again: "Memory", "NanoCpus". */
    Reset?: string[]
    /** Restart the container where a change needs it. */
    RestartNow?: boolean
    /** Take mounts away that are in use. */
    Force?: boolean
    /** Say what would change, and change nothing. */
    DryRun?: boolean
  }

export type ContainerUpdateRequest = Resources & { RestartPolicy?: RestartPolicy } & ContainerEdit

/** live: at once; start: at its next start, since it does not run; the others: when it is restarted or made anew. */
export type UpdateEffect = "live" | "start" | "restart" | "recreate"

export type UpdateChange = {
  /** As inspect names it: "Env", "PortBindings". */
  Field: string
  /** As JSON has it; null where there is none. */
  Was: unknown
  Now: unknown
  Effect: UpdateEffect
}

export type ContainerUpdateResponse = {
  Warnings: string[]
  /** Where the request had fields of dhow's own. */
  Changes?: UpdateChange[]
  /** Whether the container was restarted for it. */
  Restarted?: boolean
}
