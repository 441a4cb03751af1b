// Docker's resource settings as the OCI spec's. What is translated here has passed `verifyResources`.
import type { RuntimeResources } from "../oci/runtime-spec.ts"
import type { Resources } from "../wire/container.ts"
import type { ResolvedDevices } from "./spec-input.ts"

const NANO = 1e9
const DEFAULT_PERIOD = 100_000

type Mutable<T> = { -readonly [K in keyof T]: T[K] }

/** For config.json and for `runtime update`. Without `devices` the device rules are left as they are. */
export function runtimeResources(r: Resources, devices?: ResolvedDevices): RuntimeResources {
  const found: Mutable<RuntimeResources> = {}
  if (devices !== undefined) found.devices = devices.rules
  const memoryPart = memoryResources(r)
  if (memoryPart !== undefined) found.memory = memoryPart
  const cpuPart = cpuResources(r)
  if (cpuPart !== undefined) found.cpu = cpuPart
  // A new cgroup has no limit; only an update has to say so.
  const pids = r.PidsLimit ?? undefined
  if (pids !== undefined && (pids > 0 || devices === undefined)) found.pids = { limit: pids > 0 ? pids : -1 }
  const block: Mutable<NonNullable<RuntimeResources["blockIO"]>> = {}
  if (r.BlkioWeight) block.weight = r.BlkioWeight
  if (devices?.weights.length) block.weightDevice = devices.weights
  if (devices?.readBps.length) block.throttleReadBpsDevice = devices.readBps
  if (devices?.writeBps.length) block.throttleWriteBpsDevice = devices.writeBps
  if (devices?.readIOps.length) block.throttleReadIOPSDevice = devices.readIOps
  if (devices?.writeIOps.length) block.throttleWriteIOPSDevice = devices.writeIOps
  if (Object.keys(block).length > 0) found.blockIO = block
  if (r.HugetlbLimits?.length)
    found.hugepageLimits = r.HugetlbLimits.map(({ PageSize, Limit }) => ({ pageSize: PageSize, limit: Limit }))
  return found
}

function memoryResources(r: Resources): RuntimeResources["memory"] {
  const part: Mutable<NonNullable<RuntimeResources["memory"]>> = {}
  if ((r.Memory ?? 0) > 0) part.limit = r.Memory!
  if ((r.MemoryReservation ?? 0) > 0) part.reservation = r.MemoryReservation!
  if ((r.MemorySwap ?? 0) > 0 || r.MemorySwap === -1) {
    // Unlimited swap is what there is without a limit; said only where a limit of memory stands beside it.
    if (r.MemorySwap! > 0 || (r.Memory ?? 0) > 0) part.swap = r.MemorySwap!
  }
  if (r.MemorySwappiness !== null && r.MemorySwappiness !== undefined) part.swappiness = r.MemorySwappiness
  if (r.OomKillDisable) part.disableOOMKiller = true
  return Object.keys(part).length > 0 ? part : undefined
}

function cpuResources(r: Resources): RuntimeResources["cpu"] {
  const part: Mutable<NonNullable<RuntimeResources["cpu"]>> = {}
  if (r.CpuShares) part.shares = r.CpuShares
  if (r.CpusetCpus) part.cpus = r.CpusetCpus
  if (r.CpusetMems) part.mems = r.CpusetMems
  if ((r.NanoCpus ?? 0) > 0) {
    part.period = DEFAULT_PERIOD
    part.quota = Math.floor((r.NanoCpus! * DEFAULT_PERIOD) / NANO)
  }
  if (r.CpuPeriod) part.period = r.CpuPeriod
  if (r.CpuQuota) part.quota = r.CpuQuota
  if (r.CpuRealtimePeriod) part.realtimePeriod = r.CpuRealtimePeriod
  if (r.CpuRealtimeRuntime) part.realtimeRuntime = r.CpuRealtimeRuntime
  return Object.keys(part).length > 0 ? part : undefined
}
