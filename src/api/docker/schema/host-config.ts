// Schema of Docker's HostConfig.
import * as v from "valibot"
import {
  field,
  fields,
  fileMode,
  flag,
  int,
  map,
  nullAs,
  oneOf,
  text,
  textMap,
  textOf,
  texts,
  uint,
  uint16,
  uint64,
  words,
} from "./go-json.ts"

/** An element that is null is one without any field. */
export function list<const Schema extends v.GenericSchema>(item: Schema, type = "[]object") {
  return v.array(
    v.pipe(
      v.unknown(),
      v.transform((value) => value ?? {}),
      item,
    ),
    type,
  )
}
const throttles = list(
  fields({ Path: v.optional(text, ""), Rate: v.optional(uint64, 0) }, "blkiodev.ThrottleDevice"),
  "[]*blkiodev.ThrottleDevice",
)
const weights = list(
  fields({ Path: v.optional(text, ""), Weight: v.optional(uint16, 0) }, "blkiodev.WeightDevice"),
  "[]*blkiodev.WeightDevice",
)

export const resources = {
  CpuShares: field(int),
  Memory: field(int),
  NanoCpus: field(int),
  // No kernel that is about has these any more: taken, with a warning.
  KernelMemory: field(int),
  KernelMemoryTCP: field(int),
  CgroupParent: field(text),
  BlkioWeight: field(uint16),
  BlkioWeightDevice: field(weights),
  BlkioDeviceReadBps: field(throttles),
  BlkioDeviceWriteBps: field(throttles),
  BlkioDeviceReadIOps: field(throttles),
  BlkioDeviceWriteIOps: field(throttles),
  CpuPeriod: field(int),
  CpuQuota: field(int),
  CpuRealtimePeriod: field(int),
  CpuRealtimeRuntime: field(int),
  CpusetCpus: field(text),
  CpusetMems: field(text),
  Devices: field(
    list(
      fields(
        {
          PathOnHost: v.optional(text, ""),
          PathInContainer: field(text),
          CgroupPermissions: field(text),
        },
        "container.DeviceMapping",
      ),
      "[]container.DeviceMapping",
    ),
  ),
  DeviceCgroupRules: field(texts),
  DeviceRequests: field(
    list(
      fields(
        {
          Driver: field(text),
          Count: field(int),
          DeviceIDs: field(texts),
          Capabilities: field(v.array(texts, "[][]string")),
          Options: field(textMap),
        },
        "container.DeviceRequest",
      ),
      "[]container.DeviceRequest",
    ),
  ),
  MemoryReservation: field(int),
  MemorySwap: field(int),
  MemorySwappiness: field(int),
  OomKillDisable: field(flag),
  PidsLimit: field(int),
  Ulimits: field(
    list(
      fields({ Name: v.optional(text, ""), Soft: v.optional(int, 0), Hard: v.optional(int, 0) }, "units.Ulimit"),
      "[]*units.Ulimit",
    ),
  ),
  HugetlbLimits: field(
    list(
      fields({ PageSize: v.optional(text, ""), Limit: v.optional(int, 0) }, "container.HugetlbLimit"),
      "[]container.HugetlbLimit",
    ),
  ),
  CpuCount: field(int),
  CpuPercent: field(int),
  IOMaximumIOps: field(uint64),
  IOMaximumBandwidth: field(uint64),
} satisfies v.ObjectEntries

export const restartPolicy = fields(
  {
    Name: field(
      oneOf(
        ["", "no", "always", "unless-stopped", "on-failure"],
        (word) =>
          `invalid restart policy: unknown policy '${word}'; use one of 'no', 'always', 'on-failure', or 'unless-stopped'`,
        "container.RestartPolicyMode",
      ),
    ),
    MaximumRetryCount: field(int),
  },
  "container.RestartPolicy",
)

const mount = fields(
  {
    Type: v.optional(
      oneOf(
        ["", "bind", "volume", "tmpfs", "image", "npipe", "cluster"],
        (word) => `invalid mount config for type "${word}": mount type unknown`,
        "mount.Type",
      ),
      "",
    ),
    Source: field(text),
    Target: v.optional(text, ""),
    ReadOnly: field(flag),
    Consistency: field(textOf("mount.Consistency")),
    BindOptions: field(
      fields(
        {
          Propagation: field(textOf("mount.Propagation")),
          NonRecursive: field(flag),
          CreateMountpoint: field(flag),
          ReadOnlyNonRecursive: field(flag),
          ReadOnlyForceRecursive: field(flag),
          Map: field(text),
        },
        "mount.BindOptions",
      ),
    ),
    VolumeOptions: field(
      fields(
        {
          NoCopy: field(flag),
          Labels: field(textMap),
          Subpath: field(text),
          DriverConfig: field(fields({ Name: field(text), Options: field(textMap) }, "mount.Driver")),
          Map: field(text),
        },
        "mount.VolumeOptions",
      ),
    ),
    TmpfsOptions: field(
      fields(
        {
          SizeBytes: field(int),
          Mode: field(fileMode),
          Options: field(v.array(texts, "[][]string")),
        },
        "mount.TmpfsOptions",
      ),
    ),
    ImageOptions: field(fields({ Subpath: field(text) }, "mount.ImageOptions")),
  },
  "mount.Mount",
)

export const portMap = map(
  v.nullable(list(fields({ HostIp: field(text), HostPort: field(text) }, "nat.PortBinding"), "[]nat.PortBinding")),
  "nat.PortMap",
)

/** Rows and columns; what is missing is 0, what is more is left out, as in an array of Go. */
export const consoleSize = v.pipe(
  v.array(nullAs(uint, 0), "[2]uint"),
  v.transform(([rows = 0, columns = 0]): [number, number] => [rows, columns]),
)

/** What Docker has not. */
export const supervision = {
  HealthAction: field(
    oneOf(
      ["", "none", "restart", "stop", "kill"],
      (word) => `invalid health action "${word}": expected none, restart, stop or kill`,
    ),
  ),
  Timeout: field(int),
  Requires: field(texts),
  NetRate: field(fields({ In: field(uint64), Out: field(uint64) }, "NetRate")),
} satisfies v.ObjectEntries

export const mounts = list(mount, "[]mount.Mount")

export const hostConfigEntries = {
  ...resources,
  Binds: field(texts),
  ContainerIDFile: field(text),
  LogConfig: field(fields({ Type: field(text), Config: field(textMap) }, "container.LogConfig")),
  NetworkMode: field(textOf("container.NetworkMode")),
  PortBindings: field(portMap),
  RestartPolicy: field(restartPolicy),
  AutoRemove: field(flag),
  VolumeDriver: field(text),
  VolumesFrom: field(texts),
  ConsoleSize: field(consoleSize),
  Annotations: field(textMap),
  CapAdd: field(words),
  CapDrop: field(words),
  CgroupnsMode: field(
    oneOf(["", "private", "host"], (word) => `invalid cgroup namespace mode: ${word}`, "container.CgroupnsMode"),
  ),
  Dns: field(texts),
  DnsOptions: field(texts),
  DnsSearch: field(texts),
  ExtraHosts: field(texts),
  GroupAdd: field(texts),
  IpcMode: field(textOf("container.IpcMode")),
  Cgroup: field(textOf("container.CgroupSpec")),
  Links: field(texts),
  OomScoreAdj: field(int),
  PidMode: field(textOf("container.PidMode")),
  Privileged: field(flag),
  PublishAllPorts: field(flag),
  ReadonlyRootfs: field(flag),
  SecurityOpt: field(texts),
  StorageOpt: field(textMap),
  Tmpfs: field(textMap),
  UTSMode: field(textOf("container.UTSMode")),
  UsernsMode: field(textOf("container.UsernsMode")),
  ShmSize: field(int),
  Sysctls: field(textMap),
  Runtime: field(text),
  Isolation: field(textOf("container.Isolation")),
  MaskedPaths: field(texts),
  ReadonlyPaths: field(texts),
  Mounts: field(mounts),
  Init: field(flag),
  ...supervision,
} satisfies v.ObjectEntries

export const hostConfig = fields(hostConfigEntries, "container.HostConfig", { Resources: resources })

export const endpointSettings = fields(
  {
    IPAMConfig: field(
      fields(
        {
          IPv4Address: field(text),
          IPv6Address: field(text),
          LinkLocalIPs: field(texts),
        },
        "network.EndpointIPAMConfig",
      ),
    ),
    Links: field(texts),
    MacAddress: field(text),
    Aliases: field(texts),
    DriverOpts: field(textMap),
    GwPriority: field(int),
    NetworkID: field(text),
    EndpointID: field(text),
    Gateway: field(text),
    IPAddress: field(text),
    IPPrefixLen: field(int),
    IPv6Gateway: field(text),
    GlobalIPv6Address: field(text),
    GlobalIPv6PrefixLen: field(int),
    DNSNames: field(texts),
  },
  "network.EndpointSettings",
)

export const networkingConfig = fields(
  {
    EndpointsConfig: field(map(nullAs(endpointSettings, {}), "map[string]*network.EndpointSettings")),
  },
  "network.NetworkingConfig",
)
