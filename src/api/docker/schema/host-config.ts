// Schema of Docker's HostConfig, and of the part of it that `update` may change.
import * as v from "valibot"
import { field, fields, flag, int, nullAs, oneOf, text, textMap, texts, words } from "./go-json.ts"

const list = <const Schema extends v.GenericSchema>(item: Schema) => v.array(item, "[]object")
const throttles = list(v.pipe(fields({ Path: v.optional(text, ""), Rate: v.optional(int, 0) })))
const weights = list(fields({ Path: v.optional(text, ""), Weight: v.optional(int, 0) }))

const resources = {
  CpuShares: field(int),
  Memory: field(int),
  NanoCpus: field(int),
  CgroupParent: field(text),
  BlkioWeight: field(int),
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
    list(fields({ PathOnHost: v.optional(text, ""), PathInContainer: field(text), CgroupPermissions: field(text) })),
  ),
  DeviceCgroupRules: field(texts),
  DeviceRequests: field(
    list(
      fields({
        Driver: field(text),
        Count: field(int),
        DeviceIDs: field(texts),
        Capabilities: field(v.array(texts, "[][]string")),
        Options: field(textMap),
      }),
    ),
  ),
  MemoryReservation: field(int),
  MemorySwap: field(int),
  MemorySwappiness: field(int),
  OomKillDisable: field(flag),
  PidsLimit: field(int),
  Ulimits: field(list(fields({ Name: v.optional(text, ""), Soft: v.optional(int, 0), Hard: v.optional(int, 0) }))),
  CpuCount: field(int),
  CpuPercent: field(int),
  IOMaximumIOps: field(int),
  IOMaximumBandwidth: field(int),
} satisfies v.ObjectEntries

const restartPolicy = fields({
  Name: field(
    oneOf(
      ["", "no", "always", "unless-stopped", "on-failure"],
      (word) =>
        `invalid restart policy: unknown policy '${word}'; use one of 'no', 'always', 'on-failure', or 'unless-stopped'`,
    ),
  ),
  MaximumRetryCount: field(int),
})

const mount = fields({
  Type: v.optional(
    oneOf(
      ["bind", "volume", "tmpfs", "image", "npipe", "cluster"],
      (word) => `invalid mount config for type "${word}": mount type unknown`,
    ),
    "volume",
  ),
  Source: field(text),
  Target: v.optional(text, ""),
  ReadOnly: field(flag),
  Consistency: field(text),
  BindOptions: field(
    fields({
      Propagation: field(text),
      NonRecursive: field(flag),
      CreateMountpoint: field(flag),
      ReadOnlyNonRecursive: field(flag),
      ReadOnlyForceRecursive: field(flag),
    }),
  ),
  VolumeOptions: field(
    fields({
      NoCopy: field(flag),
      Labels: field(textMap),
      Subpath: field(text),
      DriverConfig: field(fields({ Name: field(text), Options: field(textMap) })),
    }),
  ),
  TmpfsOptions: field(
    fields({ SizeBytes: field(int), Mode: field(int), Options: field(v.array(texts, "[][]string")) }),
  ),
  ImageOptions: field(fields({ Subpath: field(text) })),
})

const portMap = v.record(
  v.string(),
  v.nullable(list(fields({ HostIp: field(text), HostPort: field(text) }))),
  "nat.PortMap",
)

export const hostConfig = fields({
  ...resources,
  Binds: field(texts),
  ContainerIDFile: field(text),
  LogConfig: field(fields({ Type: field(text), Config: field(textMap) })),
  NetworkMode: field(text),
  PortBindings: field(portMap),
  RestartPolicy: field(restartPolicy),
  AutoRemove: field(flag),
  VolumeDriver: field(text),
  VolumesFrom: field(texts),
  ConsoleSize: field(v.tuple([int, int], "[2]uint")),
  Annotations: field(textMap),
  CapAdd: field(words),
  CapDrop: field(words),
  CgroupnsMode: field(oneOf(["", "private", "host"], (word) => `invalid cgroup namespace mode: ${word}`)),
  Dns: field(texts),
  DnsOptions: field(texts),
  DnsSearch: field(texts),
  ExtraHosts: field(texts),
  GroupAdd: field(texts),
  IpcMode: field(text),
  Cgroup: field(text),
  Links: field(texts),
  OomScoreAdj: field(int),
  PidMode: field(text),
  Privileged: field(flag),
  PublishAllPorts: field(flag),
  ReadonlyRootfs: field(flag),
  SecurityOpt: field(texts),
  StorageOpt: field(textMap),
  Tmpfs: field(textMap),
  UTSMode: field(text),
  UsernsMode: field(text),
  ShmSize: field(int),
  Sysctls: field(textMap),
  Runtime: field(text),
  Isolation: field(text),
  MaskedPaths: field(texts),
  ReadonlyPaths: field(texts),
  Mounts: field(list(mount)),
  Init: field(flag),
})

export const updateRequest = fields({ ...resources, RestartPolicy: field(restartPolicy) })

const endpointSettings = fields({
  IPAMConfig: field(fields({ IPv4Address: field(text), IPv6Address: field(text), LinkLocalIPs: field(texts) })),
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
})

export const networkingConfig = fields({
  EndpointsConfig: field(v.record(v.string(), nullAs(endpointSettings, {}), "map[string]EndpointSettings")),
})
