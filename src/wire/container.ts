// The Docker Engine API's container objects (API 1.51), field for field. Types only: what comes in is checked against
// schemas in src/api, what goes out is built in src/engine.

import type { Healthcheck } from "../oci/image-config.ts"
import type { Health, Usage } from "./exit.ts"
import type { ManifestDescriptor } from "./image.ts"

export type PortBinding = { HostIp?: string; HostPort?: string }
/** "80/tcp" → where on the host; null or an empty list for exposed but unpublished. */
export type PortMap = Record<string, PortBinding[] | null>

/** `Config` of create and inspect. */
export type ContainerConfig = {
  Hostname?: string
  Domainname?: string
  User?: string
  AttachStdin?: boolean
  AttachStdout?: boolean
  AttachStderr?: boolean
  ExposedPorts?: Record<string, Record<string, never>> | null
  Tty?: boolean
  OpenStdin?: boolean
  StdinOnce?: boolean
  Env?: string[] | null
  Cmd?: string[] | null
  Healthcheck?: Healthcheck | null
  ArgsEscaped?: boolean
  Image?: string
  Volumes?: Record<string, Record<string, never>> | null
  WorkingDir?: string
  Entrypoint?: string[] | null
  NetworkDisabled?: boolean
  MacAddress?: string
  OnBuild?: string[] | null
  Labels?: Record<string, string> | null
  StopSignal?: string
  StopTimeout?: number | null
  Shell?: string[] | null
}

export type Ulimit = { Name: string; Soft: number; Hard: number }
export type DeviceMapping = { PathOnHost: string; PathInContainer?: string; CgroupPermissions?: string }
export type ThrottleDevice = { Path: string; Rate: number }
export type WeightDevice = { Path: string; Weight: number }
export type DeviceRequest = {
  Driver?: string
  Count?: number
  DeviceIDs?: string[] | null
  Capabilities?: string[][] | null
  Options?: Record<string, string> | null
}
export type RestartPolicy = {
  Name?: "" | "no" | "always" | "unless-stopped" | "on-failure"
  MaximumRetryCount?: number
}
export type LogConfig = { Type?: string; Config?: Record<string, string> | null }

/** What of HostConfig `update` may change. Sizes in bytes; CPU times in microseconds; -1 or 0 means no limit as in Docker. */
export type Resources = {
  CpuShares?: number
  Memory?: number
  NanoCpus?: number
  CgroupParent?: string
  BlkioWeight?: number
  BlkioWeightDevice?: WeightDevice[] | null
  BlkioDeviceReadBps?: ThrottleDevice[] | null
  BlkioDeviceWriteBps?: ThrottleDevice[] | null
  BlkioDeviceReadIOps?: ThrottleDevice[] | null
  BlkioDeviceWriteIOps?: ThrottleDevice[] | null
  CpuPeriod?: number
  CpuQuota?: number
  CpuRealtimePeriod?: number
  CpuRealtimeRuntime?: number
  CpusetCpus?: string
  CpusetMems?: string
  Devices?: DeviceMapping[] | null
  DeviceCgroupRules?: string[] | null
  DeviceRequests?: DeviceRequest[] | null
  MemoryReservation?: number
  MemorySwap?: number
  MemorySwappiness?: number | null
  OomKillDisable?: boolean | null
  PidsLimit?: number | null
  KernelMemory?: number
  /** dhow's own: bytes in huge pages of a size ("2MB"). */
  HugetlbLimits?: { PageSize: string; Limit: number }[] | null
  Ulimits?: Ulimit[] | null
  CpuCount?: number
  CpuPercent?: number
  IOMaximumIOps?: number
  IOMaximumBandwidth?: number
}

export type Mount = {
  /** "" where a client says nothing, which is refused. */
  Type: "" | "bind" | "volume" | "tmpfs" | "image" | "npipe" | "cluster"
  Source?: string
  Target: string
  ReadOnly?: boolean
  Consistency?: string
  BindOptions?: {
    Propagation?: string
    NonRecursive?: boolean
    CreateMountpoint?: boolean
    ReadOnlyNonRecursive?: boolean
    ReadOnlyForceRecursive?: boolean
    /** dhow's own: who has the files outside, "me", "UID:GID" or ranges of ids. */
    Map?: string
  }
  VolumeOptions?: {
    NoCopy?: boolean
    Labels?: Record<string, string>
    Subpath?: string
    DriverConfig?: { Name?: string; Options?: Record<string, string> }
    /** dhow's own, as in BindOptions. */
    Map?: string
  }
  TmpfsOptions?: { SizeBytes?: number; Mode?: number; Options?: string[][] }
  ImageOptions?: { Subpath?: string }
}

/** Bytes per second into the container and out of it; 0 and absent for as many as come. */
export type NetRate = { In?: number; Out?: number }

export type HostConfig = Resources & {
  Binds?: string[] | null
  ContainerIDFile?: string
  LogConfig?: LogConfig
  NetworkMode?: string
  PortBindings?: PortMap | null
  RestartPolicy?: RestartPolicy
  AutoRemove?: boolean
  VolumeDriver?: string
  VolumesFrom?: string[] | null
  ConsoleSize?: [number, number]
  Annotations?: Record<string, string>
  CapAdd?: string[] | null
  CapDrop?: string[] | null
  CgroupnsMode?: "" | "private" | "host"
  Dns?: string[] | null
  DnsOptions?: string[] | null
  DnsSearch?: string[] | null
  ExtraHosts?: string[] | null
  GroupAdd?: string[] | null
  IpcMode?: string
  Cgroup?: string
  Links?: string[] | null
  OomScoreAdj?: number
  PidMode?: string
  Privileged?: boolean
  PublishAllPorts?: boolean
  ReadonlyRootfs?: boolean
  SecurityOpt?: string[] | null
  StorageOpt?: Record<string, string> | null
  Tmpfs?: Record<string, string> | null
  UTSMode?: string
  UsernsMode?: string
  ShmSize?: number
  Sysctls?: Record<string, string> | null
  Runtime?: string
  Isolation?: string
  MaskedPaths?: string[] | null
  ReadonlyPaths?: string[] | null
  Mounts?: Mount[] | null
  /** null: the daemon's default. */
  Init?: boolean | null
  /** dhow's own: what is done when the health check fails. */
  HealthAction?: HealthAction | ""
  /** dhow's own: seconds after which a run is stopped; 0 for no limit. */
  Timeout?: number
  /** dhow's own: what each of its interfaces may carry. */
  NetRate?: NetRate | null
  /** dhow's own: containers that come first, "NAME" or "NAME:started", "NAME:healthy", "NAME:completed". */
  Requires?: string[] | null
}

export type HealthAction = "none" | "restart" | "stop" | "kill"

export type EndpointSettings = {
  IPAMConfig?: { IPv4Address?: string; IPv6Address?: string; LinkLocalIPs?: string[] } | null
  Links?: string[] | null
  MacAddress?: string
  Aliases?: string[] | null
  DriverOpts?: Record<string, string> | null
  GwPriority?: number
  NetworkID?: string
  EndpointID?: string
  Gateway?: string
  IPAddress?: string
  IPPrefixLen?: number
  IPv6Gateway?: string
  GlobalIPv6Address?: string
  GlobalIPv6PrefixLen?: number
  DNSNames?: string[] | null
}
export type NetworkingConfig = { EndpointsConfig?: Record<string, EndpointSettings | null> | null }

/** Body of POST /containers/create. */
export type ContainerCreateRequest = ContainerConfig & {
  HostConfig?: HostConfig
  NetworkingConfig?: NetworkingConfig
}
export type ContainerCreateResponse = { Id: string; Warnings: string[] }

export type ContainerStatus = "created" | "running" | "paused" | "restarting" | "removing" | "exited" | "dead"

/** `State` of inspect. Times are RFC 3339 with nanoseconds; "0001-01-01T00:00:00Z" means never. */
export type InspectState = {
  Status: ContainerStatus
  Running: boolean
  Paused: boolean
  Restarting: boolean
  OOMKilled: boolean
  Dead: boolean
  Pid: number
  ExitCode: number
  Error: string
  StartedAt: string
  FinishedAt: string
  Health?: Health | undefined
  /** dhow's own: what the last run used, once it has ended. */
  Usage?: Usage | undefined
}

export type MountPoint = {
  Type: string
  Name?: string
  Source: string
  Destination: string
  Driver?: string
  Mode: string
  RW: boolean
  Propagation: string
  /** dhow's own: who has the files outside, where ids are mapped. */
  Map?: string
}

export type InspectNetworkSettings = {
  Bridge: string
  SandboxID: string
  SandboxKey: string
  Ports: PortMap
  HairpinMode: boolean
  LinkLocalIPv6Address: string
  LinkLocalIPv6PrefixLen: number
  SecondaryIPAddresses: null
  SecondaryIPv6Addresses: null
  EndpointID: string
  Gateway: string
  GlobalIPv6Address: string
  GlobalIPv6PrefixLen: number
  IPAddress: string
  IPPrefixLen: number
  IPv6Gateway: string
  MacAddress: string
  Networks: Record<string, EndpointSettings>
}

export type ContainerInspect = {
  Id: string
  Created: string
  Path: string
  Args: string[]
  State: InspectState
  Image: string
  ResolvConfPath: string
  HostnamePath: string
  HostsPath: string
  LogPath: string
  Name: string
  RestartCount: number
  Driver: string
  Platform: string
  MountLabel: string
  ProcessLabel: string
  AppArmorProfile: string
  ExecIDs: string[] | null
  HostConfig: HostConfig
  GraphDriver: { Name: string; Data: Record<string, string> | null }
  SizeRw?: number
  SizeRootFs?: number
  ImageManifestDescriptor?: ManifestDescriptor
  /** dhow's own: programs of the image run in an emulator. */
  Emulated?: true
  Mounts: MountPoint[]
  Config: ContainerConfig
  NetworkSettings: InspectNetworkSettings
}

export type SummaryPort = { IP?: string; PrivatePort: number; PublicPort?: number; Type: string }

/** One row of GET /containers/json. */
export type ContainerSummary = {
  Id: string
  Names: string[]
  Image: string
  ImageID: string
  Command: string
  Created: number
  Ports: SummaryPort[]
  SizeRw?: number
  SizeRootFs?: number
  Labels: Record<string, string>
  State: ContainerStatus
  Status: string
  HostConfig: { NetworkMode: string; Annotations?: Record<string, string> }
  NetworkSettings: { Networks: Record<string, EndpointSettings> }
  Mounts: MountPoint[]
  ImageManifestDescriptor?: ManifestDescriptor
  /** dhow's own: programs of the image run in an emulator. */
  Emulated?: true
  /** dhow's own: what the last run used, once it has ended. */
  Usage?: Usage
}

/** Header X-Docker-Container-Path-Stat: what is at a path of a container. */
export type PathStat = {
  name: string
  size: number
  /** Permissions, and above them the bits of Go's FileMode. */
  mode: number
  /** RFC 3339. */
  mtime: string
  /** Where a symbolic link leads in the end. */
  linkTarget: string
}

export type ContainerWaitResponse = { StatusCode: number; Error?: { Message: string } | null }
/** One of GET /containers/{id}/changes: 0 is modified, 1 added, 2 deleted. */
export type FilesystemChange = { Path: string; Kind: 0 | 1 | 2 }

export type ContainerTop = { Titles: string[]; Processes: string[][] }

/** Body of POST /containers/{id}/exec. */
export type ExecConfig = {
  User?: string
  Privileged?: boolean
  Tty?: boolean
  ConsoleSize?: [number, number] | null
  AttachStdin?: boolean
  AttachStderr?: boolean
  AttachStdout?: boolean
  DetachKeys?: string
  Env?: string[] | null
  WorkingDir?: string
  Cmd?: string[] | null
}

export type ExecInspect = {
  ID: string
  Running: boolean
  ExitCode: number | null
  ProcessConfig: { tty: boolean; entrypoint: string; arguments: string[]; privileged: boolean; user?: string }
  OpenStdin: boolean
  OpenStderr: boolean
  OpenStdout: boolean
  CanRemove: boolean
  ContainerID: string
  DetachKeys: string
  Pid: number
}
