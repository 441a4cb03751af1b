// A container's configuration as an OCI runtime spec, with Docker's defaults. Pure: nothing is looked up here.
import type { RuntimeProcess, RuntimeSeccomp, RuntimeSpec } from "../oci/runtime-spec.ts"
import { selinuxLabels } from "./labels.ts"
import { containerMounts } from "./mounts.ts"
import { containerNamespaces, containerSysctls } from "./namespaces.ts"
import { containerProcess } from "./process.ts"
import { runtimeResources } from "./resources.ts"
import { defaultSeccomp, parseSeccomp, serializeSeccomp } from "./seccomp.ts"
import { parseSecurityOptions, type SecurityOptions } from "./security-options.ts"
import type { SpecInput } from "./spec-input.ts"

export type ContainerSpec = {
  readonly spec: RuntimeSpec
  /** What was asked for and cannot be had on this host, one sentence each. */
  readonly warnings: readonly string[]
}

const OCI_VERSION = "1.0.2"
const MASKED_PATHS = [
  "/proc/asound",
  "/proc/acpi",
  "/proc/interrupts",
  "/proc/kcore",
  "/proc/keys",
  "/proc/latency_stats",
  "/proc/timer_list",
  "/proc/timer_stats",
  "/proc/sched_debug",
  "/proc/scsi",
  "/sys/firmware",
  "/sys/devices/virtual/powercap",
]
const READONLY_PATHS = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"]

/** What Docker shows and applies where HostConfig says nothing. */
export function defaultMaskedPaths(host: { readonly thermalPaths: readonly string[] }): readonly string[] {
  return host.thermalPaths.length === 0 ? MASKED_PATHS : [...MASKED_PATHS, ...host.thermalPaths]
}
export function defaultReadonlyPaths(): readonly string[] {
  return READONLY_PATHS
}

export function containerSpec(input: SpecInput): ContainerSpec {
  const { hostConfig, host } = input
  const warnings = [...input.devices.warnings]
  const security = parseSecurityOptions(hostConfig.SecurityOpt)
  const privileged = hostConfig.Privileged ?? false
  const open = privileged || security.unconfinedPaths
  const { mounts, initPath } = containerMounts(input, security.writableCgroups ?? privileged)
  const process = containerProcess(input, { security, initPath, warnings })
  const seccomp = containerSeccomp(input, { security, capabilities: process.capabilities.bounding, warnings })
  const labels = host.selinux ? selinuxLabels(security.labels) : undefined
  const annotations = hostConfig.Annotations
  const spec: RuntimeSpec = {
    ociVersion: OCI_VERSION,
    process: labels === undefined ? process : { ...process, selinuxLabel: labels.process },
    root: { path: input.rootfs, readonly: hostConfig.ReadonlyRootfs ?? false },
    ...(input.uts === "private" ? { hostname: input.hostname } : {}),
    mounts,
    ...(annotations && Object.keys(annotations).length > 0 ? { annotations } : {}),
    linux: {
      sysctl: containerSysctls(input),
      resources: runtimeResources(hostConfig, input.devices),
      cgroupsPath: input.cgroupsPath,
      namespaces: containerNamespaces(input),
      devices: input.devices.devices,
      ...(input.rootfsPropagation === undefined ? {} : { rootfsPropagation: input.rootfsPropagation }),
      maskedPaths: hostConfig.MaskedPaths ?? (open ? [] : defaultMaskedPaths(host)),
      readonlyPaths: hostConfig.ReadonlyPaths ?? (open ? [] : READONLY_PATHS),
      ...(labels === undefined ? {} : { mountLabel: labels.mount }),
      ...(seccomp === undefined ? {} : { seccomp }),
    },
  }
  return { spec, warnings }
}

function containerSeccomp(
  input: SpecInput,
  details: {
    readonly security: SecurityOptions
    readonly capabilities: readonly string[]
    readonly warnings: string[]
  },
): RuntimeSeccomp | undefined {
  const { host, hostConfig } = input
  const { security, capabilities, warnings } = details
  const asked = security.seccomp
  if (asked === "unconfined" || (asked === "" && hostConfig.Privileged)) return undefined
  if (!host.seccomp) {
    warnings.push("seccomp is not enabled in your kernel, running container without a seccomp profile")
    return undefined
  }
  return asked === "" || asked === "builtin"
    ? defaultSeccomp(capabilities, host)
    : parseSeccomp(asked, capabilities, host)
}

/** config.json; splices the serialized seccomp profile in instead of serializing it anew. */
export function serializeSpec(spec: RuntimeSpec): string {
  const { linux, process, ...rest } = spec
  const { seccomp, ...rules } = linux
  // `linux` is never empty and comes last, so that the text ends with its brace and the spec's.
  const text = JSON.stringify({ ...rest, process: serializable(process), linux: rules })
  if (seccomp === undefined) return text
  return `${text.slice(0, -2)},"seccomp":${serializeSeccomp(seccomp)}}}`
}

/** process.json for `runtime exec --process`. */
export function serializeProcess(process: RuntimeProcess): string {
  return JSON.stringify(serializable(process))
}

/** RLIM_INFINITY is 2^64 - 1, which a number cannot hold exactly. */
function serializable(process: RuntimeProcess): RuntimeProcess {
  if (process.rlimits === undefined) return process
  const exact = (value: number): number =>
    value === Number.POSITIVE_INFINITY ? JSON.rawJSON("18446744073709551615") : value
  return {
    ...process,
    rlimits: process.rlimits.map(({ type, soft, hard }) => ({ type, soft: exact(soft), hard: exact(hard) })),
  }
}
