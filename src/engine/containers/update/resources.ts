// The resources of a container after an update, by Docker's rules: zero and absence mean "leave it", and a limit of one
// kind cannot be set over one of the other. `Reset` takes limits away. Pure.
import { DhowError } from "../../../lib/errors.ts"
import type { HostConfig, Resources } from "../../../wire/container.ts"
import type { ContainerUpdateRequest } from "../../../wire/update.ts"

/** Those that take effect on a process that runs; of the others its next start knows. */
export const LIVE_RESOURCES = [
  "BlkioWeight",
  "BlkioWeightDevice",
  "BlkioDeviceReadBps",
  "BlkioDeviceWriteBps",
  "BlkioDeviceReadIOps",
  "BlkioDeviceWriteIOps",
  "CpuShares",
  "NanoCpus",
  "CpuPeriod",
  "CpuQuota",
  "CpuRealtimePeriod",
  "CpuRealtimeRuntime",
  "CpusetCpus",
  "CpusetMems",
  "Memory",
  "MemorySwap",
  "MemoryReservation",
  "MemorySwappiness",
  "OomKillDisable",
  "PidsLimit",
] as const satisfies readonly (keyof Resources)[]

export const STARTED_RESOURCES = [
  "CgroupParent",
  "Devices",
  "DeviceCgroupRules",
  "DeviceRequests",
  "Ulimits",
] as const satisfies readonly (keyof Resources)[]

const ALL: readonly (keyof Resources)[] = [...LIVE_RESOURCES, ...STARTED_RESOURCES]

export function mergeResources(current: HostConfig, asked: ContainerUpdateRequest): HostConfig {
  checkConflicts(current, asked)
  const merged: Record<string, unknown> = { ...current }
  for (const name of asked.Reset ?? []) {
    if (!(ALL as readonly string[]).includes(name))
      throw new DhowError("invalid", `Cannot reset "${name}": it is no resource of a container`)
    if (name === "MemorySwappiness" || name === "OomKillDisable" || name === "PidsLimit") merged[name] = null
    else merged[name] = empty(current[name as keyof Resources])
  }
  for (const name of ALL) {
    const value = asked[name]
    if (isGiven(name, value)) merged[name] = value
  }
  return merged as HostConfig
}

/** Without a limit, as create leaves it. */
function empty(value: unknown): unknown {
  if (typeof value === "string") return ""
  return typeof value === "object" ? null : 0
}

function isGiven(name: keyof Resources, value: unknown): boolean {
  if (value === undefined || value === null) return false
  if (name === "PidsLimit" || name === "MemorySwappiness" || name === "OomKillDisable") return true
  return value !== 0 && value !== "" && !(Array.isArray(value) && value.length === 0)
}

function checkConflicts(current: HostConfig, asked: ContainerUpdateRequest): void {
  const isReset = (name: keyof Resources): boolean => (asked.Reset ?? []).includes(name)
  const has = (name: "NanoCpus" | "CpuPeriod" | "CpuQuota"): boolean => (current[name] ?? 0) > 0 && !isReset(name)
  const wants = (name: "NanoCpus" | "CpuPeriod" | "CpuQuota"): boolean => (asked[name] ?? 0) > 0
  const refuse = (what: string, because: string): never => {
    throw new DhowError("conflict", `Conflicting options: ${what} cannot be updated as ${because} has already been set`)
  }
  if (wants("NanoCpus") && has("CpuPeriod")) refuse("Nano CPUs", "CPU Period")
  if (wants("NanoCpus") && has("CpuQuota")) refuse("Nano CPUs", "CPU Quota")
  if (wants("CpuPeriod") && has("NanoCpus")) refuse("CPU Period", "NanoCPUs")
  if (wants("CpuQuota") && has("NanoCpus")) refuse("CPU Quota", "NanoCPUs")
  // Of a container without a limit of swap there is nothing that the memory could exceed.
  const swap = isReset("MemorySwap") ? 0 : (current.MemorySwap ?? 0)
  if ((asked.Memory ?? 0) > swap && swap > 0 && !asked.MemorySwap)
    throw new DhowError(
      "conflict",
      "Memory limit should be smaller than already set memoryswap limit, update the memoryswap at the same time",
    )
}
