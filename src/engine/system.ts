// `info` and `version`: what this engine is, and what it found on its host.

import { readFileSync } from "node:fs"
import { hostname } from "node:os"
import type { RegistriesConfig } from "../config.ts"
import { readIfExists } from "../lib/files.ts"
import { timestamp } from "../lib/time.ts"
import { COMMIT, VERSION } from "../lib/version.ts"
import { readCdiDevices } from "../runtime/cdi/devices.ts"
import type { HostFacts } from "../runtime/host-facts.ts"
import type { ContainerParts } from "./containers/parts.ts"
import type { Images, System } from "./contract.ts"
import { LOG_DRIVERS, SHOWN_DEFAULT } from "./logging/options.ts"
import { proxyInfo, registryInfo } from "./registries/info.ts"

const API_VERSION = "1.51"
const MINIMUM_API_VERSION = "1.24"

export function openSystem(
  parts: ContainerParts,
  images: Pick<Images, "list">,
  {
    diskMap,
    diskUsage,
    fsck,
    registries,
  }: Pick<System, "diskMap" | "diskUsage" | "fsck"> & { readonly registries: () => RegistriesConfig },
): System {
  const startedAt = new Date()
  const architecture = parts.host.architecture
  return {
    diskMap,
    diskUsage,
    fsck,
    version: () => ({
      Platform: { Name: "dhow" },
      Components: [
        {
          Name: "Engine",
          Version: VERSION,
          Details: {
            ApiVersion: API_VERSION,
            Arch: architecture,
            Experimental: "false",
            GitCommit: COMMIT,
            GoVersion: "",
            KernelVersion: parts.host.kernel.release,
            MinAPIVersion: MINIMUM_API_VERSION,
            Os: "linux",
          },
        },
      ],
      Version: VERSION,
      ApiVersion: API_VERSION,
      MinAPIVersion: MINIMUM_API_VERSION,
      GitCommit: COMMIT,
      GoVersion: "",
      Os: "linux",
      Arch: architecture,
      KernelVersion: parts.host.kernel.release,
    }),
    info: async () => {
      const containers = parts.store.all()
      const count = (...statuses: string[]): number =>
        containers.filter(({ state }) => statuses.includes(state.status)).length
      const list = await images.list({ all: false, filters: new Map(), sharedSize: false, manifests: false })
      const { cgroup } = parts.host
      return {
        ID: engineId(),
        Containers: containers.length,
        ContainersRunning: count("running"),
        ContainersPaused: count("paused"),
        ContainersStopped: count("created", "exited", "dead", "restarting"),
        Images: list.length,
        Driver: parts.snapshotter.name === "directory" ? "overlay2" : parts.snapshotter.name,
        DriverStatus: driverStatus(parts.snapshotter),
        Plugins: {
          Volume: ["local"],
          Network: ["bridge", "host", "null"],
          Authorization: null,
          Log: LOG_DRIVERS,
        },
        MemoryLimit: cgroup.controllers.has("memory"),
        SwapLimit: cgroup.swapAccounting,
        CpuCfsPeriod: cgroup.controllers.has("cpu"),
        CpuCfsQuota: cgroup.controllers.has("cpu"),
        CPUShares: cgroup.controllers.has("cpu"),
        CPUSet: cgroup.controllers.has("cpuset"),
        PidsLimit: cgroup.controllers.has("pids"),
        IPv4Forwarding: readIfExists("/proc/sys/net/ipv4/ip_forward")?.trim() === "1",
        Debug: parts.config.logLevel === "debug",
        NFd: -1,
        OomKillDisable: cgroup.mode !== "v2",
        NGoroutines: -1,
        SystemTime: timestamp(Date.now()),
        LoggingDriver: parts.config.logDriver ?? SHOWN_DEFAULT,
        CgroupDriver: cgroup.mode === "none" ? "none" : "cgroupfs",
        CgroupVersion: cgroup.mode === "v2" ? "2" : "1",
        NEventsListener: 0,
        KernelVersion: parts.host.kernel.release,
        OperatingSystem: operatingSystem(),
        OSVersion: osRelease()["VERSION_ID"] ?? "",
        OSType: "linux",
        Architecture: architecture === "amd64" ? "x86_64" : architecture === "arm64" ? "aarch64" : architecture,
        IndexServerAddress: "https://index.docker.io/v1/",
        RegistryConfig: registryInfo(registries()),
        NCPU: parts.host.cpus,
        MemTotal: parts.host.memory,
        GenericResources: null,
        DockerRootDir: parts.config.dataRoot,
        ...proxyInfo(process.env),
        Name: hostname(),
        Labels: [],
        ExperimentalBuild: false,
        ServerVersion: VERSION,
        Runtimes: Object.fromEntries(parts.runtimeNames.map((name) => [name, { path: parts.runtime(name).path }])),
        DefaultRuntime: parts.config.defaultRuntime,
        CDISpecDirs: [...parts.config.cdiSpecDirs],
        DiscoveredDevices: [...readCdiDevices(parts.config.cdiSpecDirs).devices.keys()].map((ID) => ({
          Source: "cdi",
          ID,
        })),
        Swarm: {
          NodeID: "",
          NodeAddr: "",
          LocalNodeState: "inactive",
          ControlAvailable: false,
          Error: "",
          RemoteManagers: null,
        },
        LiveRestoreEnabled: true,
        Isolation: "",
        InitBinary: parts.initPath ?? "",
        ContainerdCommit: { ID: "" },
        RuncCommit: { ID: "" },
        InitCommit: { ID: "" },
        SecurityOptions: [
          ...(parts.host.seccomp ? ["name=seccomp,profile=builtin"] : []),
          ...(parts.host.apparmor ? ["name=apparmor"] : []),
          ...(cgroup.mode === "v2" ? ["name=cgroupns"] : []),
        ],
        Warnings: hostWarnings(parts.host),
        SystemStatus: null,
        StartedAt: startedAt.toISOString(),
      }
    },
  }
}

/** What containers cannot be given on this host, in Docker's words where it has any. */
function hostWarnings({ cgroup, capabilities, seccomp }: HostFacts): string[] {
  const missing: readonly (readonly [boolean, string])[] = [
    [cgroup.controllers.has("memory"), "WARNING: No memory limit support"],
    [cgroup.swapAccounting, "WARNING: No swap limit support"],
    [cgroup.controllers.has("cpu"), "WARNING: No cpu shares support"],
    [cgroup.controllers.has("cpuset"), "WARNING: No cpuset support"],
    [cgroup.controllers.has("pids"), "WARNING: No pids limit support"],
    [cgroup.blockWeight, "WARNING: No blkio weight support"],
    [seccomp, "WARNING: No seccomp support: system calls of containers are not filtered"],
    [
      capabilities.has("CAP_SYS_RESOURCE"),
      "WARNING: No CAP_SYS_RESOURCE: limits of processes cannot be raised, nor OOM scores lowered",
    ],
  ]
  return missing.flatMap(([isThere, text]) => (isThere ? [] : [text]))
}

/** Stable for a machine, as clients expect. */
function engineId(): string {
  const seed = readIfExists("/etc/machine-id")?.trim() || hostname()
  const hash = new Bun.CryptoHasher("sha256").update(`dhow ${seed}`).digest("hex")
  return hash.slice(0, 32).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5")
}

function osRelease(): Record<string, string> {
  const text = readIfExists("/etc/os-release") ?? ""
  const entries = [...text.matchAll(/^([A-Z_]+)=(?:"(.*)"|(.*))$/gm)]
  return Object.fromEntries(entries.map(([, name = "", quoted, bare]) => [name, quoted ?? bare ?? ""]))
}

function driverStatus(snapshotter: ContainerParts["snapshotter"]): [string, string][] {
  const { reason, layers } = snapshotter.status()
  return [
    ["Snapshotter", snapshotter.name],
    ["Chosen because", reason],
    ["Layers", layers.map(({ form, count }) => `${count} ${form}`).join(", ")],
  ]
}

function operatingSystem(): string {
  return osRelease()["PRETTY_NAME"] ?? readFileSync("/proc/sys/kernel/ostype", "utf8").trim()
}
