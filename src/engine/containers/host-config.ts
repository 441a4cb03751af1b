// HostConfig as it is kept: defaults filled in and wishes checked, with Docker's words. Pure, but for the facts given.
import { DhowError } from "../../lib/errors.ts"
import type { HostConfig, LogConfig, Resources } from "../../wire/container.ts"

export type HostConfigFacts = {
  readonly defaultRuntime: string
  readonly knownRuntimes: readonly string[]
  readonly cgroupVersion: 1 | 2
  readonly cpus: number
  /** The daemon's `init` key. */
  readonly init: boolean
}

const MINIMUM_MEMORY = 6 * 1024 * 1024
const DEFAULT_SHM = 64 * 1024 * 1024
const LOG_DRIVERS = new Set(["local", "json-file", "none"])

export function completeHostConfig(
  asked: HostConfig,
  facts: HostConfigFacts,
): { hostConfig: HostConfig; warnings: string[] } {
  const warnings: string[] = []
  const runtime = asked.Runtime || facts.defaultRuntime
  if (!facts.knownRuntimes.includes(runtime)) throw invalid(`unknown or invalid runtime name: ${runtime}`)
  const restart = asked.RestartPolicy?.Name || "no"
  checkRestartPolicy(asked)
  if (asked.AutoRemove && restart !== "no") throw invalid("can't create 'AutoRemove' container with restart policy")
  checkResources(asked, facts)
  checkModes(asked)
  const networkMode =
    asked.NetworkMode === undefined || asked.NetworkMode === "" || asked.NetworkMode === "default"
      ? "bridge"
      : asked.NetworkMode
  if (networkMode === "host" && Object.keys(asked.PortBindings ?? {}).length > 0)
    warnings.push("Published ports are discarded when using host network mode")
  return {
    warnings,
    hostConfig: {
      ...asked,
      NetworkMode: networkMode,
      PortBindings: asked.PortBindings ?? {},
      RestartPolicy: { Name: restart, MaximumRetryCount: asked.RestartPolicy?.MaximumRetryCount ?? 0 },
      LogConfig: completeLogConfig(asked.LogConfig),
      IpcMode: asked.IpcMode || "private",
      CgroupnsMode: asked.CgroupnsMode || (facts.cgroupVersion === 2 ? "private" : "host"),
      ShmSize: asked.ShmSize || DEFAULT_SHM,
      Runtime: runtime,
      Init: asked.Init ?? (facts.init ? true : null),
      // Docker's own CLI sends -1 for "default swappiness" up to API 1.39.
      MemorySwappiness: asked.MemorySwappiness === -1 ? null : (asked.MemorySwappiness ?? null),
    },
  }
}

function completeLogConfig(asked: LogConfig | undefined): LogConfig {
  // The name of Docker's default: clients such as docker-py read a container's output only where they know the driver.
  const type = asked?.Type || "json-file"
  if (!LOG_DRIVERS.has(type)) {
    const known = ["awslogs", "fluentd", "gcplogs", "gelf", "journald", "splunk", "syslog", "etwlogs"]
    if (known.includes(type))
      throw new DhowError("not-implemented", `logger: log driver "${type}" is not available in this version`, {
        hint: "Use local, json-file or none",
      })
    throw invalid(`logger: no log driver named '${type}' is registered`)
  }
  const config = asked?.Config ?? {}
  for (const [option, value] of Object.entries(config)) {
    if (option === "max-size") parseLogSize(value)
    else if (option === "max-file") {
      if (!/^[1-9][0-9]*$/.test(value)) throw invalid("max-file cannot be less than 1")
    } else if (option === "compress") {
      if (value !== "true" && value !== "false") throw invalid(`invalid value for log opt 'compress': ${value}`)
    } else if (["labels", "labels-regex", "env", "env-regex", "tag", "mode", "max-buffer-size"].includes(option)) {
      throw new DhowError(
        "not-implemented",
        `log opt '${option}' for log driver "${type}" is not available in this version`,
      )
    } else throw invalid(`unknown log opt '${option}' for ${type} log driver`)
  }
  return { Type: type, Config: config }
}

/** Bytes of a size such as "10m". */
export function parseLogSize(text: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*([kmgt]?)i?b?$/i.exec(text)
  if (match === null) throw invalid(`invalid size: '${text}'`)
  const power = " kmgt".indexOf((match[2] ?? "").toLowerCase() || " ")
  return Math.floor(Number(match[1]) * 1024 ** power)
}

function checkRestartPolicy({ RestartPolicy: policy }: HostConfig): void {
  const name = policy?.Name ?? ""
  const count = policy?.MaximumRetryCount ?? 0
  if (name === "on-failure") {
    if (count < 0) throw invalid("invalid restart policy: maximum retry count cannot be negative")
  } else if (["", "no", "always", "unless-stopped"].includes(name)) {
    if (count !== 0)
      throw invalid(
        `invalid restart policy: maximum retry count can only be used with 'on-failure'${count < 0 ? " and cannot be negative" : ""}`,
      )
  } else
    throw invalid(
      `invalid restart policy: unknown policy '${name}'; use one of 'no', 'always', 'on-failure', or 'unless-stopped'`,
    )
}

/** Also used by update. */
export function checkResources(asked: Resources, facts: Pick<HostConfigFacts, "cpus">): void {
  const { Memory: memory = 0, MemorySwap: swap = 0, MemoryReservation: reservation = 0, NanoCpus: nano = 0 } = asked
  if (memory !== 0 && memory < MINIMUM_MEMORY) throw invalid("Minimum memory limit allowed is 6MB")
  if (memory > 0 && swap > 0 && swap < memory)
    throw invalid("Minimum memoryswap limit should be larger than memory limit, see usage")
  if (memory === 0 && swap > 0)
    throw invalid("You should always set the Memory limit when using Memoryswap limit, see usage")
  const swappiness = asked.MemorySwappiness
  if (swappiness !== undefined && swappiness !== null && (swappiness < -1 || swappiness > 100))
    throw invalid(`Invalid value: ${swappiness}, valid memory swappiness range is 0-100`)
  if (reservation !== 0 && reservation < MINIMUM_MEMORY) throw invalid("Minimum memory reservation allowed is 6MB")
  if (memory > 0 && reservation > 0 && memory < reservation)
    throw invalid("Minimum memory limit can not be less than memory reservation limit, see usage")
  if (nano > 0 && (asked.CpuPeriod ?? 0) > 0)
    throw invalid("Conflicting options: Nano CPUs and CPU Period cannot both be set")
  if (nano > 0 && (asked.CpuQuota ?? 0) > 0)
    throw invalid("Conflicting options: Nano CPUs and CPU Quota cannot both be set")
  if (nano < 0 || nano > facts.cpus * 1e9)
    throw invalid(
      `range of CPUs is from 0.01 to ${facts.cpus.toFixed(2)}, as there are only ${facts.cpus} CPUs available`,
    )
  const period = asked.CpuPeriod ?? 0
  if (period !== 0 && (period < 1000 || period > 1_000_000))
    throw invalid("CPU cfs period can not be less than 1ms (i.e. 1000) or larger than 1s (i.e. 1000000)")
  const quota = asked.CpuQuota ?? 0
  if (quota > 0 && quota < 1000) throw invalid("CPU cfs quota can not be less than 1ms (i.e. 1000)")
  const weight = asked.BlkioWeight ?? 0
  if (weight !== 0 && (weight < 10 || weight > 1000)) throw invalid("Range of blkio weight is from 10 to 1000")
  for (const [list, name] of [
    [asked.CpusetCpus, "cpuset cpus"],
    [asked.CpusetMems, "cpuset mems"],
  ] as const)
    if (list && !/^\d+(-\d+)?(,\d+(-\d+)?)*$/.test(list)) throw invalid(`Invalid value ${list} for ${name}`)
}

function checkModes(asked: HostConfig): void {
  const ofContainer = (mode: string): boolean => /^container:.+/.test(mode)
  const {
    IpcMode: ipc = "",
    PidMode: pid = "",
    UTSMode: uts = "",
    CgroupnsMode: cgroup = "",
    UsernsMode: user = "",
  } = asked
  if (!["", "none", "private", "shareable", "host"].includes(ipc) && !ofContainer(ipc))
    throw invalid(`invalid IPC mode: ${ipc}`)
  if (!["", "host"].includes(pid) && !ofContainer(pid)) throw invalid(`invalid PID mode: ${pid}`)
  if (!["", "host"].includes(uts)) throw invalid(`invalid UTS mode: ${uts}`)
  if (!["", "private", "host"].includes(cgroup)) throw invalid(`invalid cgroup namespace mode: ${cgroup}`)
  if (!["", "host"].includes(user)) throw invalid(`invalid userns mode: ${user}`)
  if ((asked.ShmSize ?? 0) < 0) throw invalid("SHM size can not be less than 0")
  const oom = asked.OomScoreAdj ?? 0
  if (oom < -1000 || oom > 1000) throw invalid(`Invalid value ${oom}, range for oom score adj is [-1000, 1000]`)
  if (Object.hasOwn(asked.Annotations ?? {}, ""))
    throw invalid("invalid Annotations: the empty string is not permitted as an annotation key")
  if ((asked.DeviceRequests ?? []).length > 0)
    throw new DhowError(
      "not-implemented",
      "could not select device driver: device requests (--gpus) are not available in this version",
    )
  if ((asked.Links ?? []).length > 0)
    throw new DhowError("not-implemented", "Cannot link containers: links (--link) are not available in this version", {
      hint: "Use --network container:NAME, or addresses",
    })
  if (asked.StorageOpt && Object.keys(asked.StorageOpt).length > 0)
    throw new DhowError("not-implemented", "--storage-opt is not available in this version")
}

function invalid(message: string): DhowError {
  return new DhowError("invalid", message)
}
