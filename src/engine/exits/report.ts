// The report of an end: what is known at once, from the row and from what the kernel counted. Quick and synchronous: who
// waits for the container gets the answer after it.
import { describeError, errnoName } from "../../lib/errors.ts"
import { log } from "../../lib/log.ts"
import { signalName } from "../../lib/signals.ts"
import { inNetworkNamespace } from "../../lib/syscalls/mount.ts"
import { timestamp } from "../../lib/time.ts"
import { readFinalUsage } from "../../runtime/final-usage.ts"
import { readNetworkUsage } from "../../runtime/usage.ts"
import type { ExitRecord } from "../../supervisor/contract.ts"
import type { ExitReport, ExitSettings, Usage } from "../../wire/exit.ts"
import { commandOf } from "../containers/merge-config.ts"
import type { ContainerParts } from "../containers/parts.ts"
import { cgroupsPathOf } from "../containers/paths.ts"
import { type Container, type ContainerRecord, type ContainerState, isRunning } from "../containers/record.ts"

export type Ended = Pick<Container, "record" | "state"> & {
  readonly exit: ExitRecord
  readonly seen: ExitReport["Seen"]
}

/** Of a run that ended. Reads the cgroup, which must still be there. */
export function reportExit(parts: ContainerParts, { record, state, exit, seen }: Ended): ExitReport {
  const { usage, limits } = readFinalUsage(cgroupsPathOf(parts.config, record), parts.host.cgroup)
  const oomKilled = exit.oomKilled || limits.OOMKills > 0
  const finished = finishOf(state.startedAt, exit.finishedAt)
  const { asked } = state
  const network = ownNamespace(record, state)
  return {
    ...common(record, state),
    Started: true,
    FinishedAt: timestamp(finished),
    ExitCode: exit.exitCode,
    ...signalOf(exit.exitCode),
    Error: "",
    OOMKilled: oomKilled,
    WillRestart: false,
    ...(asked === undefined ? {} : { Asked: asked }),
    Seen: exit.vanished ? "lost" : seen,
    Usage: complete(
      {
        // When a lost one ended is not known, only when that was found.
        ...(seen === "lost" ? {} : { WallTime: Math.round(finished - Date.parse(state.startedAt)) * 1e6 }),
        ...usage,
        ...(network === undefined ? {} : networkUsage(network)),
      },
      network === undefined ? FIGURES : [...FIGURES, "ReceivedBytes", "SentBytes"],
    ),
    Limits: limits,
  }
}

/** Of a start that failed. */
export function reportFailure(
  { record, state }: Pick<Container, "record" | "state">,
  failure: { readonly exitCode: number; readonly error: string; readonly at: string },
): ExitReport {
  return {
    ...common(record, state),
    Started: false,
    StartedAt: failure.at,
    FinishedAt: failure.at,
    ExitCode: failure.exitCode,
    Error: failure.error,
    OOMKilled: false,
    WillRestart: false,
    Seen: "at-once",
    Detail: { LastLines: [], Mounts: [] },
  }
}

/** The end is known to a few milliseconds only, and may seem to lie before the start: there is no run of no time. */
export function finishOf(startedAt: string, finishedAt: Date): number {
  return Math.max(finishedAt.getTime(), Date.parse(startedAt) + 1)
}

function common(record: ContainerRecord, state: ContainerState) {
  const { path, args } = commandOf(record.config)
  return {
    ContainerID: record.id,
    Name: record.name,
    Image: record.image,
    Command: [path, ...args],
    StartedAt: state.startedAt,
    RestartCount: state.restartCount,
    Settings: settingsOf(record),
  }
}

function settingsOf({ config, hostConfig }: ContainerRecord): ExitSettings {
  return {
    Tty: config.Tty ?? false,
    OpenStdin: config.OpenStdin ?? false,
    User: config.User ?? "",
    WorkingDir: config.WorkingDir ?? "",
    NetworkMode: hostConfig.NetworkMode ?? "bridge",
    RestartPolicy: hostConfig.RestartPolicy?.Name || "no",
    Memory: hostConfig.Memory ?? 0,
    MemorySwap: hostConfig.MemorySwap ?? 0,
    PidsLimit: hostConfig.PidsLimit ?? 0,
    ReadonlyRootfs: hostConfig.ReadonlyRootfs ?? false,
    Privileged: hostConfig.Privileged ?? false,
    Init: hostConfig.Init ?? false,
    AutoRemove: hostConfig.AutoRemove ?? false,
    StopSignal: config.StopSignal || "SIGTERM",
    Ports: Object.keys(hostConfig.PortBindings ?? {}),
  }
}

function signalOf(exitCode: number): { Signal?: string } {
  const name = exitCode > 128 && exitCode <= 128 + 64 ? signalName(exitCode - 128) : undefined
  return name === undefined ? {} : { Signal: name }
}

/** Its network namespace outlives its processes, until the teardown. */
function networkUsage(path: string): Pick<Usage, "ReceivedBytes" | "SentBytes"> {
  try {
    const interfaces = inNetworkNamespace(path, () => readNetworkUsage("thread-self"))
    if (interfaces === undefined) return {}
    const all = Object.values(interfaces)
    return {
      ReceivedBytes: all.reduce((sum, { rx_bytes }) => sum + rx_bytes, 0),
      SentBytes: all.reduce((sum, { tx_bytes }) => sum + tx_bytes, 0),
    }
  } catch (error) {
    // After a reboot there is no namespace.
    if (!["ENOENT", "EINVAL"].includes(errnoName(error) ?? ""))
      log.warn("What a container sent cannot be read", { namespace: path, error: describeError(error) })
    return {}
  }
}

function ownNamespace({ hostConfig }: ContainerRecord, state: ContainerState): string | undefined {
  const mode = hostConfig.NetworkMode ?? "bridge"
  if (mode === "host" || mode.startsWith("container:")) return undefined
  return isRunning(state) ? state.process.networkNamespace : undefined
}

const FIGURES: readonly (keyof Usage)[] = [
  "WallTime",
  "CPUTime",
  "UserTime",
  "SystemTime",
  "ThrottledTime",
  "MemoryPeak",
  "ReadBytes",
  "WriteBytes",
  "ProcessesPeak",
]

function complete(usage: Omit<Usage, "Missing">, expected: readonly (keyof Usage)[]): Usage {
  const known: Partial<Usage> = usage
  return { ...usage, Missing: expected.filter((name) => known[name] === undefined) }
}
