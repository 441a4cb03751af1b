// HostConfig as it is kept: defaults filled in and wishes checked, with Docker's words. Pure, but for the facts given.
import { DhowError } from "../../lib/errors.ts"
import type { HostFacts } from "../../runtime/host-facts.ts"
import { selinuxLabels } from "../../runtime/labels.ts"
import { parseSecurityOptions } from "../../runtime/security-options.ts"
import { verifyResources } from "../../runtime/verify-resources.ts"
import type { HostConfig } from "../../wire/container.ts"
import { completeLogConfig, type LogDefaults } from "../logging/options.ts"

import { checkHealthAction } from "./health-action.ts"
import { completeNetRate } from "./net-rate.ts"

export type HostConfigFacts = {
  readonly defaultRuntime: string
  readonly knownRuntimes: readonly string[]
  readonly host: Pick<HostFacts, "cgroup" | "cpus" | "apparmor" | "selinux">
  /** The daemon's `init` key. */
  readonly init: boolean
  readonly log: LogDefaults
  /** The daemon's, for what the creator leaves open. */
  readonly defaults: {
    readonly shmSize: number
    readonly ipcMode: string
    readonly cgroupnsMode: "host" | "private" | undefined
  }
}

export function completeHostConfig(
  asked: HostConfig,
  facts: HostConfigFacts,
  options: { readonly update?: boolean } = {},
): { hostConfig: HostConfig; warnings: string[] } {
  const runtime = asked.Runtime || facts.defaultRuntime
  if (!facts.knownRuntimes.includes(runtime)) throw invalid(`unknown or invalid runtime name: ${runtime}`)
  const restart = asked.RestartPolicy?.Name || "no"
  checkRestartPolicy(asked)
  checkHealthAction(asked.HealthAction)
  if ((asked.Timeout ?? 0) < 0) throw invalid(`invalid timeout ${asked.Timeout}: expected seconds, or 0 for no limit`)
  if (asked.AutoRemove && restart !== "no") throw invalid("can't create 'AutoRemove' container with restart policy")
  const rate = completeNetRate(asked.NetRate)
  const { resources: verified, warnings: dropped } = verifyResources(asked, facts.host, options)
  const { NetRate: _asked, ...resources } = verified
  const warnings = [...dropped]
  checkModes(asked)
  const { apparmor: profile, labels } = parseSecurityOptions(asked.SecurityOpt)
  if (facts.host.selinux) selinuxLabels(labels)
  else if (labels.some((label) => label !== "disable"))
    warnings.push("SELinux is not enabled on this host: labels are not applied")
  if (profile !== "" && profile !== "unconfined" && !facts.host.apparmor)
    warnings.push(`AppArmor is not enabled on this host: the profile "${profile}" is not applied`)
  const networkMode =
    asked.NetworkMode === undefined || asked.NetworkMode === "" || asked.NetworkMode === "default"
      ? "bridge"
      : asked.NetworkMode
  if (networkMode === "host" && Object.keys(asked.PortBindings ?? {}).length > 0)
    warnings.push("Published ports are discarded when using host network mode")
  return {
    warnings,
    hostConfig: {
      ...resources,
      ...(rate === undefined ? {} : { NetRate: rate }),
      ...(options.update ? {} : { SecurityOpt: completeSecurityOptions(asked) }),
      NetworkMode: networkMode,
      RestartPolicy: { Name: restart, MaximumRetryCount: asked.RestartPolicy?.MaximumRetryCount ?? 0 },
      LogConfig: completeLogConfig(asked.LogConfig, facts.log),
      IpcMode: asked.IpcMode || facts.defaults.ipcMode,
      CgroupnsMode:
        asked.CgroupnsMode || facts.defaults.cgroupnsMode || (facts.host.cgroup.mode === "v2" ? "private" : "host"),
      ShmSize: asked.ShmSize || facts.defaults.shmSize,
      Runtime: runtime,
      Init: asked.Init ?? (facts.init ? true : null),
      MemorySwappiness: resources.MemorySwappiness ?? null,
    },
  }
}

/** Who sees the host's processes or memory is not confined by a label of its own. */
function completeSecurityOptions({
  SecurityOpt: asked,
  IpcMode: ipc,
  PidMode: pid,
  Privileged: privileged,
}: HostConfig) {
  const isOpen = ipc === "host" || pid === "host" || privileged === true
  if (!isOpen || asked?.some((option) => option.split("=", 1)[0] === "label")) return asked ?? null
  return [...(asked ?? []), "label=disable"]
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
  if (!["", "default"].includes((asked.Isolation ?? "").toLowerCase()))
    throw invalid(`invalid isolation (${asked.Isolation}): linux only supports 'default'`)
  const oom = asked.OomScoreAdj ?? 0
  if (oom < -1000 || oom > 1000) throw invalid(`Invalid value ${oom}, range for oom score adj is [-1000, 1000]`)
  if (Object.hasOwn(asked.Annotations ?? {}, ""))
    throw invalid("invalid Annotations: the empty string is not permitted as an annotation key")
}

function invalid(message: string): DhowError {
  return new DhowError("invalid", message)
}
