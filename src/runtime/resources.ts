// Docker's resource settings as the OCI spec's. `verifyResources` checks and completes what a user asks for, at create
// and at update; `runtimeResources` translates what passed.
import { DhowError } from "../lib/errors.ts"
import type { RuntimeResources } from "../oci/runtime-spec.ts"
import type { Resources } from "../wire/container.ts"
import type { HostFacts } from "./host-facts.ts"
import type { ResolvedDevices } from "./spec-input.ts"

const LEAST_MEMORY = 6 * 1024 * 1024
const NANO = 1e9
const DEFAULT_PERIOD = 100_000

type Mutable<T> = { -readonly [K in keyof T]: T[K] }

/**
 * The settings with Docker's defaults filled in (swap: twice the memory) and those dropped that the host cannot honour,
 * with a warning each. Throws invalid, in Docker's words, for what makes no sense.
 */
export function verifyResources<T extends Resources>(
  asked: T,
  host: Pick<HostFacts, "cgroup" | "cpus">,
  options: { readonly update?: boolean } = {},
): { readonly resources: T & Resources; readonly warnings: readonly string[] } {
  const resources: T & Resources = { ...asked }
  const warnings: string[] = []
  memory(resources, host, { update: options.update ?? false, warnings })
  cpu(resources, host, warnings)
  blockIo(resources, host, warnings)
  return { resources, warnings }
}

function invalid(text: string): never {
  throw new DhowError("invalid", text)
}

function memory(
  r: Resources,
  { cgroup }: Pick<HostFacts, "cgroup">,
  { update, warnings }: { readonly update: boolean; readonly warnings: string[] },
): void {
  const v1 = cgroup.mode !== "v2"
  if (r.MemorySwappiness === -1) r.MemorySwappiness = null
  if (!update && (r.Memory ?? 0) > 0 && !r.MemorySwap) r.MemorySwap = r.Memory! * 2
  if (r.Memory && r.Memory < LEAST_MEMORY) invalid("Minimum memory limit allowed is 6MB")
  if ((r.Memory ?? 0) > 0 && !cgroup.controllers.has("memory")) {
    warnings.push(
      "Your kernel does not support memory limit capabilities or the cgroup is not mounted. Limitation discarded.",
    )
    r.Memory = 0
    r.MemorySwap = -1
  }
  if ((r.Memory ?? 0) > 0 && r.MemorySwap !== -1 && !cgroup.swapAccounting) {
    warnings.push(
      "Your kernel does not support swap limit capabilities or the cgroup is not mounted. Memory limited without swap.",
    )
    r.MemorySwap = -1
  }
  const limit = r.Memory ?? 0
  const swap = r.MemorySwap ?? 0
  const reservation = r.MemoryReservation ?? 0
  if (limit > 0 && swap > 0 && swap < limit)
    invalid("Minimum memoryswap limit should be larger than memory limit, see usage")
  if (limit === 0 && swap > 0 && !update)
    invalid("You should always set the Memory limit when using Memoryswap limit, see usage")
  if (r.MemorySwappiness !== null && r.MemorySwappiness !== undefined) {
    if (!v1) {
      warnings.push(
        "Your kernel does not support memory swappiness capabilities or the cgroup is not mounted. Memory swappiness discarded.",
      )
      r.MemorySwappiness = null
    } else if (r.MemorySwappiness < 0 || r.MemorySwappiness > 100)
      invalid(`Invalid value: ${r.MemorySwappiness}, valid memory swappiness range is 0-100`)
  }
  if (reservation > 0 && reservation < LEAST_MEMORY) invalid("Minimum memory reservation allowed is 6MB")
  if (limit > 0 && reservation > 0 && limit < reservation)
    invalid("Minimum memory limit can not be less than memory reservation limit, see usage")
  if (r.OomKillDisable && !v1) {
    warnings.push("Your kernel does not support OomKillDisable. OomKillDisable discarded.")
    r.OomKillDisable = null
  }
  if (r.OomKillDisable && limit === 0)
    warnings.push(
      "OOM killer is disabled for the container, but no memory limit is set, this can result in the system running out of resources.",
    )
  if ((r.PidsLimit ?? 0) > 0 && !cgroup.controllers.has("pids")) {
    warnings.push(
      "Your kernel does not support PIDs limit capabilities or the cgroup is not mounted. PIDs limit discarded.",
    )
    r.PidsLimit = null
  }
}

function cpu(r: Resources, { cgroup, cpus }: Pick<HostFacts, "cgroup" | "cpus">, warnings: string[]): void {
  const nano = r.NanoCpus ?? 0
  const period = r.CpuPeriod ?? 0
  const quota = r.CpuQuota ?? 0
  const controlled = cgroup.controllers.has("cpu")
  if (nano > 0 && period > 0) invalid("Conflicting options: Nano CPUs and CPU Period cannot both be set")
  if (nano > 0 && quota > 0) invalid("Conflicting options: Nano CPUs and CPU Quota cannot both be set")
  if (nano > 0 && !controlled)
    invalid("NanoCPUs can not be set, as your kernel does not support CPU CFS scheduler or the cgroup is not mounted")
  if (nano < 0 || nano > cpus * NANO)
    invalid(`range of CPUs is from 0.01 to ${cpus}.00, as there are only ${cpus} CPUs available`)
  if ((r.CpuShares ?? 0) < 0) invalid(`invalid CPU shares (${r.CpuShares}): value must be a positive integer`)
  if ((r.CpuShares ?? 0) > 0 && !controlled) {
    warnings.push("Your kernel does not support CPU shares or the cgroup is not mounted. Shares discarded.")
    r.CpuShares = 0
  }
  if ((period !== 0 || quota !== 0) && !controlled) {
    warnings.push("Your kernel does not support CPU CFS scheduler. CPU period/quota discarded.")
    r.CpuPeriod = 0
    r.CpuQuota = 0
  }
  if (r.CpuPeriod && (period < 1000 || period > 1_000_000))
    invalid("CPU cfs period can not be less than 1ms (i.e. 1000) or larger than 1s (i.e. 1000000)")
  if ((r.CpuQuota ?? 0) > 0 && quota < 1000) invalid("CPU cfs quota can not be less than 1ms (i.e. 1000)")
  if ((r.CpuPercent ?? 0) > 0) {
    warnings.push("linux does not support CPU percent. Percent discarded.")
    r.CpuPercent = 0
  }
  if ((r.CpusetCpus || r.CpusetMems) && !cgroup.controllers.has("cpuset")) {
    warnings.push("Your kernel does not support cpuset or the cgroup is not mounted. Cpuset discarded.")
    r.CpusetCpus = ""
    r.CpusetMems = ""
  }
  const highest = (text: string, what: string): number => {
    let most = -1
    for (const part of text.split(",")) {
      const match = /^(\d{1,6})(?:-(\d{1,6}))?$/.exec(part.trim())
      if (match === null) invalid(`Invalid value ${text} for cpuset ${what}`)
      most = Math.max(most, Number(match![2] ?? match![1]))
    }
    return most
  }
  if (r.CpusetCpus && highest(r.CpusetCpus, "cpus") >= cpus)
    invalid(`Requested CPUs are not available - requested ${r.CpusetCpus}, available: 0-${cpus - 1}`)
  if (r.CpusetMems) highest(r.CpusetMems, "mems")
}

function blockIo(r: Resources, { cgroup }: Pick<HostFacts, "cgroup">, warnings: string[]): void {
  const weight = r.BlkioWeight ?? 0
  if (weight > 0 && (weight < 10 || weight > 1000)) invalid("Range of blkio weight is from 10 to 1000")
  if (r.IOMaximumBandwidth || r.IOMaximumIOps)
    invalid("Invalid QoS settings: linux does not support Maximum IO Bandwidth or Maximum IO IOps")
  if (cgroup.controllers.has("blkio") || cgroup.controllers.has("io")) {
    if (weight > 0 && !cgroup.blockWeight) {
      warnings.push("Your kernel does not support Block I/O weight or the cgroup is not mounted. Weight discarded.")
      r.BlkioWeight = 0
    }
    if (r.BlkioWeightDevice?.length && !cgroup.blockWeight) {
      warnings.push(
        "Your kernel does not support Block I/O weight_device or the cgroup is not mounted. Weight-device discarded.",
      )
      r.BlkioWeightDevice = []
    }
    return
  }
  if (
    weight > 0 ||
    r.BlkioWeightDevice?.length ||
    r.BlkioDeviceReadBps?.length ||
    r.BlkioDeviceWriteBps?.length ||
    r.BlkioDeviceReadIOps?.length ||
    r.BlkioDeviceWriteIOps?.length
  )
    warnings.push("Your kernel does not support Block I/O limits or the cgroup is not mounted. Limits discarded.")
  r.BlkioWeight = 0
  r.BlkioWeightDevice = []
  r.BlkioDeviceReadBps = []
  r.BlkioDeviceWriteBps = []
  r.BlkioDeviceReadIOps = []
  r.BlkioDeviceWriteIOps = []
}

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
