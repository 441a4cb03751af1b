// What `info` says of the host's protections and of what it lacks, in dockerd's words where it has any.
import { accessSync } from "node:fs"
import { readIfExists } from "../lib/files.ts"
import type { ContainerParts } from "./containers/parts.ts"

export function securityOptions({ config, host }: Pick<ContainerParts, "config" | "host">): string[] {
  const isPrivate = (config.defaultCgroupnsMode ?? (host.cgroup.mode === "v2" ? "private" : "host")) === "private"
  return [
    ...(host.apparmor ? ["name=apparmor"] : []),
    ...(host.seccomp ? [`name=seccomp,profile=${config.seccompProfile}`] : []),
    ...(host.selinux ? ["name=selinux"] : []),
    ...(isPrivate && hasCgroupNamespaces() ? ["name=cgroupns"] : []),
    ...(config.noNewPrivileges ? ["name=no-new-privileges"] : []),
  ]
}

/** What containers cannot be given on this host. */
export function hostWarnings({ config, host }: Pick<ContainerParts, "config" | "host">): string[] {
  const { cgroup, capabilities, seccomp } = host
  const isUnified = cgroup.mode === "v2"
  const has = (name: string): boolean => cgroup.controllers.has(name)
  const block = has(isUnified ? "io" : "blkio")
  const throttle = (one: string, unified: string): readonly [boolean, string] => [
    block,
    isUnified ? `WARNING: No io.max (${unified}) support` : `WARNING: No blkio throttle.${one} support`,
  ]
  const checks: readonly (readonly [boolean, string])[] = [
    [config.seccompProfile === "builtin" || !seccomp, "WARNING: daemon is not using the default seccomp profile"],
    [has("memory"), "WARNING: No memory limit support"],
    [cgroup.swapAccounting, "WARNING: No swap limit support"],
    [has("cpu"), "WARNING: No cpu cfs quota support"],
    [has("cpu"), "WARNING: No cpu cfs period support"],
    [has("cpu"), "WARNING: No cpu shares support"],
    [has("cpuset"), "WARNING: No cpuset support"],
    [has("pids"), "WARNING: No pids limit support"],
    [!isUnified || cgroup.blockWeight, "WARNING: No io.weight support"],
    [!isUnified || cgroup.blockWeight, "WARNING: No io.weight (per device) support"],
    throttle("read_bps_device", "rbps"),
    throttle("write_bps_device", "wbps"),
    throttle("read_iops_device", "riops"),
    throttle("write_iops_device", "wiops"),
    [readIfExists("/proc/sys/net/ipv4/ip_forward")?.trim() === "1", "WARNING: IPv4 forwarding is disabled"],
    [seccomp, "WARNING: No seccomp support: system calls of containers are not filtered"],
    [
      capabilities.has("CAP_SYS_RESOURCE"),
      "WARNING: No CAP_SYS_RESOURCE: limits of processes cannot be raised, nor OOM scores lowered",
    ],
  ]
  return checks.flatMap(([isThere, text]) => (isThere ? [] : [text]))
}

function hasCgroupNamespaces(): boolean {
  try {
    accessSync("/proc/self/ns/cgroup")
    return true
  } catch {
    return false
  }
}
