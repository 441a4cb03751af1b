// `info` and `version`: what this engine is, and what it found on its host.

import { readdirSync, readFileSync } from "node:fs"
import { hostname } from "node:os"
import { basename } from "node:path"
import type { RegistriesConfig } from "../config.ts"
import { readIfExists } from "../lib/files.ts"
import { timestamp } from "../lib/time.ts"
import { COMMIT, VERSION } from "../lib/version.ts"
import { readCdiDevices } from "../runtime/cdi/devices.ts"
import type { ContainerParts } from "./containers/parts.ts"
import type { Images, System } from "./contract.ts"
import { engineId } from "./engine-id.ts"
import { hostWarnings, securityOptions } from "./host-report.ts"
import { LOG_DRIVERS, SHOWN_DEFAULT } from "./logging/options.ts"
import { type ProgramVersion, programVersion } from "./programs.ts"
import { proxyInfo, registryInfo } from "./registries/info.ts"

const API_VERSION = "1.54"
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
  const architecture = parts.host.architecture
  return {
    diskMap,
    diskUsage,
    fsck,
    version: async () => ({
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
        ...(await components(parts)),
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
      const { config } = parts
      const warnings = hostWarnings(parts)
      const [runtime, init] = await Promise.all([runtimeVersion(parts), programVersion(parts.initPath)])
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
        // Asked for, it is discarded with a warning.
        KernelMemoryTCP: false,
        CpuCfsPeriod: cgroup.controllers.has("cpu"),
        CpuCfsQuota: cgroup.controllers.has("cpu"),
        CPUShares: cgroup.controllers.has("cpu"),
        CPUSet: cgroup.controllers.has("cpuset"),
        PidsLimit: cgroup.controllers.has("pids"),
        IPv4Forwarding: readIfExists("/proc/sys/net/ipv4/ip_forward")?.trim() === "1",
        Debug: parts.config.logLevel === "debug",
        NFd: readdirSync("/proc/self/fd").length,
        OomKillDisable: cgroup.mode !== "v2",
        // There are none: what Docker's client shows of them would be a number nobody counted.
        NGoroutines: 0,
        // By the clock of the events, so that `until` this time tells all that went before.
        SystemTime: timestamp(parts.events.now()),
        LoggingDriver: parts.config.logDriver ?? SHOWN_DEFAULT,
        CgroupDriver: cgroup.mode === "none" ? "none" : "cgroupfs",
        CgroupVersion: cgroup.mode === "v2" ? "2" : "1",
        NEventsListener: parts.events.listening,
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
        Labels: config.labels,
        ExperimentalBuild: false,
        ServerVersion: VERSION,
        Runtimes: runtimesInfo(parts),
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
        InitBinary: parts.initPath === undefined ? "" : basename(parts.initPath),
        ContainerdCommit: { ID: "N/A" },
        RuncCommit: { ID: runtime.commit || "N/A" },
        InitCommit: { ID: init.commit || "N/A" },
        SecurityOptions: securityOptions(parts),
        FirewallBackend: { Driver: "nftables" },
        Warnings: warnings.length === 0 ? null : warnings,
      }
    },
  }
}

/** What is configured, whether it is installed or not; and containerd's name for the default, which clients send. */
function runtimesInfo({
  config,
  runtimes,
}: ContainerParts): Record<string, { path: string; runtimeArgs?: readonly string[] }> {
  const found = new Map(runtimes())
  const standard = found.get(config.defaultRuntime)
  if (standard !== undefined) found.set("io.containerd.runc.v2", standard)
  return Object.fromEntries(found)
}

function runtimeVersion({ config, runtimes }: ContainerParts): Promise<ProgramVersion> {
  const path = runtimes().get(config.defaultRuntime)?.path
  return programVersion(path === undefined ? undefined : (Bun.which(path) ?? undefined))
}

/** The programs that containers are made with, as Docker names containerd, runc and docker-init. */
async function components(
  parts: ContainerParts,
): Promise<{ Name: string; Version: string; Details: { GitCommit: string } }[]> {
  const programs = [
    runtimeVersion(parts),
    ...["conmon", "catatonit"].map((name) => programVersion(Bun.which(name) ?? undefined)),
  ]
  return (await Promise.all(programs))
    .filter(({ version }) => version !== "")
    .map(({ name, version, commit }) => ({ Name: name, Version: version, Details: { GitCommit: commit } }))
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
