// What a container was created with, as `inspect` shows it: every field that Docker always shows is there, empty where
// nothing was asked for, since clients read them without looking first.
import type { HostFacts } from "../../runtime/host-facts.ts"
import { selinuxLabels } from "../../runtime/labels.ts"
import { parseSecurityOptions } from "../../runtime/security-options.ts"
import { defaultMaskedPaths, defaultReadonlyPaths } from "../../runtime/spec.ts"
import type { ContainerConfig, EndpointSettings, HostConfig } from "../../wire/container.ts"
import { shownLogConfig } from "./log-settings.ts"
import type { ContainerRecord } from "./record.ts"

const CONFIG: ContainerConfig = {
  Hostname: "",
  Domainname: "",
  User: "",
  AttachStdin: false,
  AttachStdout: false,
  AttachStderr: false,
  Tty: false,
  OpenStdin: false,
  StdinOnce: false,
  Env: null,
  Cmd: null,
  Image: "",
  Volumes: null,
  WorkingDir: "",
  Entrypoint: null,
  OnBuild: null,
  Labels: {},
}

const HOST_CONFIG: HostConfig = {
  Binds: null,
  ContainerIDFile: "",
  LogConfig: {},
  NetworkMode: "",
  PortBindings: null,
  RestartPolicy: {},
  AutoRemove: false,
  VolumeDriver: "",
  VolumesFrom: null,
  ConsoleSize: [0, 0],
  CapAdd: null,
  CapDrop: null,
  CgroupnsMode: "",
  Dns: null,
  DnsOptions: null,
  DnsSearch: null,
  ExtraHosts: null,
  GroupAdd: null,
  IpcMode: "",
  Cgroup: "",
  Links: null,
  OomScoreAdj: 0,
  PidMode: "",
  Privileged: false,
  PublishAllPorts: false,
  ReadonlyRootfs: false,
  SecurityOpt: null,
  UTSMode: "",
  UsernsMode: "",
  ShmSize: 0,
  Runtime: "",
  Isolation: "",
  CpuShares: 0,
  Memory: 0,
  NanoCpus: 0,
  CgroupParent: "",
  BlkioWeight: 0,
  BlkioWeightDevice: null,
  BlkioDeviceReadBps: null,
  BlkioDeviceWriteBps: null,
  BlkioDeviceReadIOps: null,
  BlkioDeviceWriteIOps: null,
  CpuPeriod: 0,
  CpuQuota: 0,
  CpuRealtimePeriod: 0,
  CpuRealtimeRuntime: 0,
  CpusetCpus: "",
  CpusetMems: "",
  Devices: null,
  DeviceCgroupRules: null,
  DeviceRequests: null,
  MemoryReservation: 0,
  MemorySwap: 0,
  MemorySwappiness: null,
  OomKillDisable: null,
  PidsLimit: null,
  Ulimits: null,
  CpuCount: 0,
  CpuPercent: 0,
  IOMaximumIOps: 0,
  IOMaximumBandwidth: 0,
  MaskedPaths: null,
  ReadonlyPaths: null,
}

const ENDPOINT: EndpointSettings = {
  IPAMConfig: null,
  Links: null,
  Aliases: null,
  MacAddress: "",
  DriverOpts: null,
  GwPriority: 0,
  NetworkID: "",
  EndpointID: "",
  Gateway: "",
  IPAddress: "",
  IPPrefixLen: 0,
  IPv6Gateway: "",
  GlobalIPv6Address: "",
  GlobalIPv6PrefixLen: 0,
  DNSNames: null,
}

/** The address that was asked for on the container's main network is shown where older versions of the API have it too. */
export function inspectConfig(config: ContainerConfig, mac: string | undefined): ContainerConfig {
  return { ...CONFIG, ...config, ...(mac ? { MacAddress: mac } : {}) }
}

export function inspectHostConfig(
  hostConfig: HostConfig,
  host: { readonly thermalPaths: readonly string[] },
): HostConfig {
  const isOpen = hostConfig.Privileged === true
  const { Init: init, ...asked } = hostConfig
  return {
    ...HOST_CONFIG,
    MaskedPaths: isOpen ? null : [...defaultMaskedPaths(host)],
    ReadonlyPaths: isOpen ? null : [...defaultReadonlyPaths()],
    ...asked,
    LogConfig: shownLogConfig(hostConfig),
    ...(typeof init === "boolean" ? { Init: init } : {}),
  }
}

/** What confines it, where the kernel can. */
export function inspectSecurity(
  { SecurityOpt: options, Privileged: privileged }: HostConfig,
  { selinux, apparmor, apparmorProfile }: Pick<HostFacts, "selinux" | "apparmor" | "apparmorProfile">,
): { MountLabel: string; ProcessLabel: string; AppArmorProfile: string } {
  const security = parseSecurityOptions(options)
  const labels = selinux ? selinuxLabels(security.labels) : undefined
  const profile = security.apparmor || (privileged ? "unconfined" : (apparmorProfile ?? ""))
  return {
    MountLabel: labels?.mount ?? "",
    ProcessLabel: labels?.process ?? "",
    AppArmorProfile: apparmor ? profile : "",
  }
}

/**
 * The networks by name, with what was asked for on each. A container that does not run keeps the name of the one it will be
 * on, without an address.
 */
export function inspectNetworks(
  endpoints: Readonly<Record<string, EndpointSettings>>,
  { hostConfig, networkingConfig, leftNetworks }: ContainerRecord,
): Record<string, EndpointSettings> {
  const networkMode = hostConfig.NetworkMode ?? "bridge"
  const asked = networkingConfig.EndpointsConfig
  const names = Object.keys(endpoints)
  if (names.length === 0) names.push(...Object.keys(asked ?? {}))
  if (names.length === 0 && !networkMode.startsWith("container:") && !leftNetworks) names.push(networkMode)
  return Object.fromEntries(
    names.map((name) => [name, { ...ENDPOINT, ...endpoints[name], ...wishes(asked?.[name] ?? {}) }]),
  )
}

/** What of an endpoint is the user's to choose, where it was chosen. */
function wishes({ IPAMConfig, Links, Aliases, DriverOpts, GwPriority }: EndpointSettings): EndpointSettings {
  return {
    ...(IPAMConfig ? { IPAMConfig } : {}),
    ...(Links ? { Links } : {}),
    ...(Aliases ? { Aliases } : {}),
    ...(DriverOpts ? { DriverOpts } : {}),
    ...(GwPriority ? { GwPriority } : {}),
  }
}
