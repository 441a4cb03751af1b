// From flags and arguments to the body of POST /containers/create. Fields that the user did not touch are left out,
// which the API reads as their zero value.
import { DhowError } from "../../lib/errors.ts"
import { parseBytes, parseCpus, parseMemorySwap } from "../../lib/size.ts"
import type { ContainerCreateRequest, HostConfig, Resources } from "../../wire/container.ts"
import type { FlagValues } from "../flags/flags.ts"
import { callersUser } from "./caller.ts"
import {
  parseDevices,
  parseGpus,
  parseHugetlb,
  parseThrottleBytes,
  parseThrottleOperations,
  parseUlimits,
  parseWeightDevice,
} from "./devices.ts"
import type { containerFlags } from "./flags.ts"
import { keyValueMap, parseKeyValueFile } from "./key-values.ts"
import { parseMount, parseTmpfs, parseVolumes } from "./mounts.ts"
import { parseNetRate } from "./net-rate.ts"
import { checkMac, type Networks, parseNetworks } from "./networks.ts"
import { parseHealth, parseRestartPolicy, parseSecurityOptions, parseStorageOptions } from "./policies.ts"
import { addExposed, parsePublished } from "./ports.ts"
import { parseHealthAction, parseTimeLimit } from "./supervision.ts"

export type ContainerFlagValues = FlagValues<typeof containerFlags>

/** Drops what is empty: undefined, "", 0, false, [] and {}. */
function compact<T extends object>(object: T): T {
  const kept = Object.entries(object).filter(([, value]) => {
    if (value === undefined || value === null || value === "" || value === 0 || value === false) return false
    return typeof value !== "object" || Object.keys(value).length > 0
  })
  return Object.fromEntries(kept) as T
}

export function createRequest(
  flags: ContainerFlagValues,
  image: string,
  command: readonly string[],
): ContainerCreateRequest {
  try {
    return buildRequest(flags, image, command)
  } catch (error) {
    if (error instanceof DhowError) throw error
    throw new DhowError("invalid", error instanceof Error ? error.message : String(error), { exitCode: 125 })
  }
}

function buildRequest(flags: ContainerFlagValues, image: string, command: readonly string[]): ContainerCreateRequest {
  const streams = flags.attach
  const attachStdin = flags.interactive === true || streams.includes("stdin")
  const volumes = parseVolumes(flags.volume)
  const ports = parsePublished(flags.publish)
  addExposed(ports.exposed, flags.expose)
  const mac = flags["mac-address"]
  if (mac !== undefined && mac !== "") checkMac(mac)
  const networks = parseNetworks(flags.network, {
    aliases: flags["network-alias"],
    links: flags.link,
    ipv4: flags.ip,
    ipv6: flags.ip6,
    linkLocal: flags["link-local-ip"],
    mac,
  })
  const environment = [
    ...flags["env-file"].flatMap((path) => parseKeyValueFile(path, (name) => process.env[name])),
    ...flags.env,
  ]
  const { user, groups } = callersUser(flags.user ?? "")
  const labels = [...flags["label-file"].flatMap((path) => parseKeyValueFile(path)), ...flags.label]
  const config = compact<ContainerCreateRequest>({
    Hostname: flags.hostname ?? "",
    Domainname: flags.domainname ?? "",
    User: user,
    AttachStdin: attachStdin,
    AttachStdout: streams.length === 0 || streams.includes("stdout"),
    AttachStderr: streams.length === 0 || streams.includes("stderr"),
    ExposedPorts: ports.exposed,
    Tty: flags.tty === true,
    OpenStdin: flags.interactive === true,
    StdinOnce: flags.interactive === true && attachStdin,
    Env: environment,
    Cmd: [...command],
    Image: image,
    Volumes: volumes.anonymous,
    WorkingDir: flags.workdir ?? "",
    Entrypoint: flags.entrypoint === undefined ? null : [flags.entrypoint],
    Labels: keyValueMap(labels),
    StopSignal: flags["stop-signal"] ?? "",
    Healthcheck: parseHealth(flags) ?? null,
  })
  // Zero is a choice here: kill at once.
  if (flags["stop-timeout"] !== undefined) config.StopTimeout = flags["stop-timeout"]
  config.HostConfig = hostConfig(flags, { groups, binds: volumes.binds, bindings: ports.bindings, networks })
  if (Object.keys(networks.endpoints).length > 0) config.NetworkingConfig = { EndpointsConfig: networks.endpoints }
  return config
}

const EMPTY_LISTS = [
  ...(["Dns", "DnsOptions", "DnsSearch", "Devices", "BlkioWeightDevice"] as const),
  ...(["BlkioDeviceReadBps", "BlkioDeviceWriteBps", "BlkioDeviceReadIOps", "BlkioDeviceWriteIOps"] as const),
]

type HostParts = {
  readonly groups: readonly string[]
  readonly binds: string[]
  readonly bindings: NonNullable<HostConfig["PortBindings"]>
  readonly networks: Networks
}

function hostConfig(flags: ContainerFlagValues, parts: HostParts): HostConfig {
  checkModes(flags)
  const restart = parseRestartPolicy(flags.restart ?? "no")
  const willRestart = restart.Name !== undefined && restart.Name !== "" && restart.Name !== "no"
  if (flags.rm === true && willRestart) throw new Error("conflicting options: cannot specify both --restart and --rm")
  if (flags["log-driver"] === "none" && flags["log-opt"].length > 0)
    throw new Error("invalid logging opts for driver none")
  const security = parseSecurityOptions(flags["security-opt"])
  const config = compact<HostConfig>({
    ...resources(flags),
    Binds: parts.binds,
    ContainerIDFile: flags.cidfile ?? "",
    OomScoreAdj: flags["oom-score-adj"] ?? 0,
    AutoRemove: flags.rm === true,
    Privileged: flags.privileged === true,
    PortBindings: parts.bindings,
    Links: [...flags.link],
    PublishAllPorts: flags["publish-all"] === true,
    Dns: [...flags.dns],
    DnsSearch: [...flags["dns-search"]],
    DnsOptions: [...flags["dns-option"]],
    ExtraHosts: [...flags["add-host"]],
    VolumesFrom: [...flags["volumes-from"]],
    IpcMode: flags.ipc ?? "",
    NetworkMode: parts.networks.mode,
    PidMode: flags.pid ?? "",
    UTSMode: flags.uts ?? "",
    UsernsMode: flags.userns ?? "",
    CgroupnsMode: (flags.cgroupns ?? "") as NonNullable<HostConfig["CgroupnsMode"]>,
    CapAdd: [...flags["cap-add"]],
    CapDrop: [...flags["cap-drop"]],
    GroupAdd: [...flags["group-add"], ...parts.groups],
    RestartPolicy: restart,
    SecurityOpt: security.options,
    StorageOpt: parseStorageOptions(flags["storage-opt"]),
    ReadonlyRootfs: flags["read-only"] === true,
    LogConfig: compact({ Type: flags["log-driver"] ?? "", Config: keyValueMap(flags["log-opt"]) }),
    VolumeDriver: flags["volume-driver"] ?? "",
    Isolation: flags.isolation ?? "",
    ShmSize: bytesOf(flags["shm-size"]),
    Tmpfs: parseTmpfs(flags.tmpfs),
    Sysctls: keyValueMap(flags.sysctl),
    Runtime: flags.runtime ?? "",
    Mounts: flags.mount.map(parseMount),
    Annotations: keyValueMap(flags.annotation),
    HealthAction: flags["health-action"] === undefined ? "" : parseHealthAction(flags["health-action"]),
    Timeout: flags.timeout === undefined ? 0 : parseTimeLimit(flags.timeout),
    Requires: [...flags.requires],
    NetRate: flags["net-rate"] === undefined ? null : parseNetRate(flags["net-rate"]),
  })
  // As docker's client says that nothing is asked for: whoever inspects the container finds the same empty lists.
  for (const list of EMPTY_LISTS) config[list] ??= []
  config.PortBindings ??= {}
  if (flags.init !== undefined) config.Init = flags.init
  // Empty lists, not absent ones: absent means the engine's defaults.
  if (security.unconfinedPaths) {
    config.MaskedPaths = []
    config.ReadonlyPaths = []
  }
  return config
}

function bytesOf(text: string | undefined): number {
  return text === undefined ? 0 : parseBytes(text)
}

function resources(flags: ContainerFlagValues): Resources {
  const swappiness = flags["memory-swappiness"]
  if (swappiness !== undefined && swappiness !== -1 && (swappiness < 0 || swappiness > 100))
    throw new Error(`invalid value: ${swappiness}. Valid memory swappiness range is 0-100`)
  const devices = parseDevices(flags.device)
  const limits = compact<Resources>({
    CgroupParent: flags["cgroup-parent"] ?? "",
    Memory: bytesOf(flags.memory),
    MemoryReservation: bytesOf(flags["memory-reservation"]),
    MemorySwap: flags["memory-swap"] === undefined ? 0 : parseMemorySwap(flags["memory-swap"]),
    OomKillDisable: flags["oom-kill-disable"] === true,
    NanoCpus: flags.cpus === undefined ? 0 : parseCpus(flags.cpus),
    CpuCount: flags["cpu-count"] ?? 0,
    CpuPercent: flags["cpu-percent"] ?? 0,
    CpuShares: flags["cpu-shares"] ?? 0,
    CpuPeriod: flags["cpu-period"] ?? 0,
    CpuQuota: flags["cpu-quota"] ?? 0,
    CpuRealtimePeriod: flags["cpu-rt-period"] ?? 0,
    CpuRealtimeRuntime: flags["cpu-rt-runtime"] ?? 0,
    CpusetCpus: flags["cpuset-cpus"] ?? "",
    CpusetMems: flags["cpuset-mems"] ?? "",
    PidsLimit: flags["pids-limit"] ?? 0,
    BlkioWeight: flags["blkio-weight"] ?? 0,
    BlkioWeightDevice: flags["blkio-weight-device"].map(parseWeightDevice),
    BlkioDeviceReadBps: flags["device-read-bps"].map(parseThrottleBytes),
    BlkioDeviceWriteBps: flags["device-write-bps"].map(parseThrottleBytes),
    BlkioDeviceReadIOps: flags["device-read-iops"].map(parseThrottleOperations),
    BlkioDeviceWriteIOps: flags["device-write-iops"].map(parseThrottleOperations),
    IOMaximumIOps: flags["io-maxiops"] ?? 0,
    IOMaximumBandwidth: bytesOf(flags["io-maxbandwidth"]),
    Ulimits: parseUlimits(flags.ulimit),
    KernelMemory: bytesOf(flags["kernel-memory"]),
    HugetlbLimits: flags.hugetlb.map(parseHugetlb),
    DeviceCgroupRules: [...flags["device-cgroup-rule"]],
    Devices: devices.mappings,
    DeviceRequests: [...flags.gpus.map(parseGpus), ...devices.requests],
  })
  if (swappiness !== undefined) limits.MemorySwappiness = swappiness
  return limits
}

function checkModes(flags: ContainerFlagValues): void {
  const pid = flags.pid ?? ""
  if (pid !== "" && pid !== "host" && !/^container:./.test(pid)) throw new Error("--pid: invalid PID mode")
  if (!["", "host"].includes(flags.uts ?? "")) throw new Error("--uts: invalid UTS mode")
  if (!["", "host"].includes(flags.userns ?? "")) throw new Error("--userns: invalid USER mode")
  if (!["", "host", "private"].includes(flags.cgroupns ?? "")) throw new Error("--cgroupns: invalid CGROUP mode")
}
