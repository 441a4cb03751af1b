// One container as `inspect` shows it.
import type { ContainerInspect, InspectNetworkSettings, InspectState } from "../../wire/container.ts"
import { withDefaultUlimits } from "./daemon-defaults.ts"
import { healthOf } from "./health-checks.ts"
import { inspectConfig, inspectHostConfig, inspectNetworks, inspectSecurity } from "./inspect-config.ts"
import { shownLinks } from "./links.ts"
import { emulatedMark, manifestDescriptor } from "./manifest-descriptor.ts"
import { commandOf } from "./merge-config.ts"
import { mountPoint } from "./mount-point.ts"
import type { ContainerParts } from "./parts.ts"
import { containerPaths } from "./paths.ts"
import { type Container, type ContainerRecord, type ContainerState, isRunning } from "./record.ts"
import { sizes } from "./sizes.ts"
import { pidOf } from "./status.ts"

export async function inspectContainer(
  parts: ContainerParts,
  reference: string,
  options: { readonly size?: boolean } = {},
): Promise<ContainerInspect> {
  const { record, state } = await settled(parts, reference)
  const paths = containerPaths(parts.config, record.id)
  const { path, args } = commandOf(record.config)
  const execIds = [...(parts.live.find(record.id)?.execIds ?? [])]
  const files = parts.snapshotter.paths(record.id)
  return {
    Id: record.id,
    Created: record.created,
    Path: path,
    Args: args,
    State: inspectState(state, healthOf(parts, record.id, state)),
    Image: record.imageId,
    ResolvConfPath: paths.resolvConf,
    HostnamePath: paths.hostname,
    HostsPath: paths.hosts,
    LogPath: record.hostConfig.LogConfig?.Type === "json-file" ? paths.jsonLog : "",
    Name: `/${record.name}`,
    RestartCount: state.restartCount,
    Driver: parts.snapshotter.name === "directory" ? "overlay2" : parts.snapshotter.name,
    Platform: record.platform.os,
    ...inspectSecurity(record.hostConfig, parts.host),
    ExecIDs: execIds.length > 0 ? execIds : null,
    HostConfig: {
      ...inspectHostConfig(withDefaultUlimits(record.hostConfig, parts.config), parts.host),
      Links: shownLinks(parts.store, record),
    },
    GraphDriver: {
      Name: parts.snapshotter.name === "directory" ? "overlay2" : parts.snapshotter.name,
      Data: {
        ID: record.id,
        LowerDir: [...files.lower].reverse().join(":"),
        MergedDir: paths.rootfs,
        UpperDir: files.upper,
        WorkDir: files.work,
      },
    },
    ...(options.size ? await sizes(parts, record.id, record.layers) : {}),
    Mounts: record.mounts.map(mountPoint),
    Config: inspectConfig(record.config, askedMac(record)),
    NetworkSettings: networkSettings(state, record),
    ImageManifestDescriptor: manifestDescriptor(parts, record),
    ...emulatedMark(parts, record),
  }
}

/**
 * Between the stop and the start of a restart it waits for the start, as Docker's does: who hears of the exit and asks is
 * told that the container runs, and stays with it. docker compose ends its logs and its `up` otherwise.
 */
async function settled(parts: ContainerParts, reference: string): Promise<Container> {
  const found = parts.store.resolve(reference)
  const restarted = parts.live.find(found.record.id)?.restarted
  if (restarted === undefined || isRunning(found.state)) return found
  await restarted
  return parts.store.get(found.record.id)
}

function inspectState(state: ContainerState, health: InspectState["Health"]): InspectState {
  const { status, exitCode, error, oomKilled, startedAt, finishedAt } = state
  return {
    Status: status,
    // As in Docker, a paused or restarting container counts as running.
    Running: isRunning(state) || status === "restarting",
    Paused: status === "paused",
    Restarting: status === "restarting",
    OOMKilled: oomKilled,
    Dead: status === "dead",
    Pid: pidOf(state),
    ExitCode: isRunning(state) ? 0 : exitCode,
    Error: error,
    StartedAt: startedAt,
    FinishedAt: finishedAt,
    ...(health === undefined ? {} : { Health: health }),
    ...(state.usage === undefined ? {} : { Usage: state.usage }),
  }
}

function networkSettings(state: ContainerState, record: ContainerRecord): InspectNetworkSettings {
  const process = isRunning(state) ? state.process : undefined
  const endpoints = process?.endpoints ?? {}
  const bridge = endpoints["bridge"]
  return {
    Bridge: "",
    SandboxID: process === undefined ? "" : record.id,
    SandboxKey: process?.networkNamespace ?? "",
    Ports: process?.ports ?? {},
    HairpinMode: false,
    LinkLocalIPv6Address: "",
    LinkLocalIPv6PrefixLen: 0,
    SecondaryIPAddresses: null,
    SecondaryIPv6Addresses: null,
    EndpointID: bridge?.EndpointID ?? "",
    Gateway: bridge?.Gateway ?? "",
    GlobalIPv6Address: bridge?.GlobalIPv6Address ?? "",
    GlobalIPv6PrefixLen: bridge?.GlobalIPv6PrefixLen ?? 0,
    IPAddress: bridge?.IPAddress ?? "",
    IPPrefixLen: bridge?.IPPrefixLen ?? 0,
    IPv6Gateway: bridge?.IPv6Gateway ?? "",
    MacAddress: bridge?.MacAddress ?? "",
    Networks: inspectNetworks(endpoints, record),
  }
}

function askedMac({ config, hostConfig, networkingConfig }: ContainerRecord): string | undefined {
  return config.MacAddress || networkingConfig.EndpointsConfig?.[hostConfig.NetworkMode ?? "bridge"]?.MacAddress
}
