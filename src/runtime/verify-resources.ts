// The resource settings that a user asks for, checked and completed, at create and at update: what makes no sense is
// refused, what the kernel cannot do is dropped with a warning, both in Docker's words.
import { DhowError } from "../lib/errors.ts"
import type { Resources } from "../wire/container.ts"
import { isOutside } from "./cpuset.ts"
import type { CgroupFacts, CgroupLimit, HostFacts } from "./host-facts.ts"

const LEAST_MEMORY = 6 * 1024 * 1024
const NANO = 1e9

type Facts = Pick<HostFacts, "cgroup" | "cpus">

/**
 * The settings with Docker's defaults filled in (swap: twice the memory) and those dropped that the host cannot honour,
 * with a warning each. Throws invalid, in Docker's words, for what makes no sense.
 */
export function verifyResources<T extends Resources>(
  asked: T,
  host: Facts,
  options: { readonly update?: boolean } = {},
): { readonly resources: T & Resources; readonly warnings: readonly string[] } {
  const resources: T & Resources = { ...asked }
  const warnings: string[] = []
  realtime(resources, host.cgroup)
  memory(resources, host.cgroup, { update: options.update ?? false, warnings })
  cpu(resources, host, warnings)
  cpuset(resources, host.cgroup, warnings)
  blockIo(resources, host.cgroup, warnings)
  for (const limit of resources.HugetlbLimits ?? []) checkHugePages(limit, host.cgroup)
  for (const { Name, Soft, Hard } of resources.Ulimits ?? []) checkUlimit(Name, Soft, Hard)
  return { resources, warnings }
}

function invalid(text: string): never {
  throw new DhowError("invalid", text)
}

function can(cgroup: CgroupFacts, controller: string, limit: CgroupLimit): boolean {
  return cgroup.controllers.has(controller) && !cgroup.missing.has(limit)
}

const absent = (what: string, dropped: string): string =>
  `Your kernel does not support ${what} or the cgroup is not mounted. ${dropped} discarded.`

function realtime({ CpuRealtimePeriod: period = 0, CpuRealtimeRuntime: runtime = 0 }: Resources, cgroup: CgroupFacts) {
  if ((period !== 0 || runtime !== 0) && !can(cgroup, "cpu", "realtime"))
    invalid("kernel does not support CPU real-time scheduler")
  if (period !== 0 && runtime !== 0 && runtime > period)
    invalid("cpu real-time runtime cannot be higher than cpu real-time period")
}

function memory(
  r: Resources,
  cgroup: CgroupFacts,
  { update, warnings }: { readonly update: boolean; readonly warnings: string[] },
): void {
  if (r.MemorySwappiness === -1) r.MemorySwappiness = null
  if (!update && (r.Memory ?? 0) > 0 && !r.MemorySwap) r.MemorySwap = r.Memory! * 2
  if (r.Memory && r.Memory < LEAST_MEMORY) invalid("Minimum memory limit allowed is 6MB")
  if ((r.Memory ?? 0) > 0 && !cgroup.controllers.has("memory")) {
    warnings.push(absent("memory limit capabilities", "Limitation"))
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
  if (limit > 0 && swap > 0 && swap < limit)
    invalid("Minimum memoryswap limit should be larger than memory limit, see usage")
  if (limit === 0 && swap > 0 && !update)
    invalid("You should always set the Memory limit when using Memoryswap limit, see usage")
  softMemory(r, cgroup, warnings)
  outOfMemory(r, cgroup, warnings)
  if ((r.PidsLimit ?? 0) > 0 && !cgroup.controllers.has("pids")) {
    warnings.push(absent("PIDs limit capabilities", "PIDs limit"))
    r.PidsLimit = null
  }
}

function softMemory(r: Resources, cgroup: CgroupFacts, warnings: string[]): void {
  const limit = r.Memory ?? 0
  if (r.MemorySwappiness !== null && r.MemorySwappiness !== undefined) {
    if (!can(cgroup, "memory", "swappiness")) {
      warnings.push(absent("memory swappiness capabilities", "Memory swappiness"))
      r.MemorySwappiness = null
    } else if (r.MemorySwappiness < 0 || r.MemorySwappiness > 100)
      invalid(`Invalid value: ${r.MemorySwappiness}, valid memory swappiness range is 0-100`)
  }
  if ((r.MemoryReservation ?? 0) > 0 && !can(cgroup, "memory", "reservation")) {
    warnings.push(absent("memory soft limit capabilities", "Limitation"))
    r.MemoryReservation = 0
  }
  const reservation = r.MemoryReservation ?? 0
  if (reservation > 0 && reservation < LEAST_MEMORY) invalid("Minimum memory reservation allowed is 6MB")
  if (limit > 0 && reservation > 0 && limit < reservation)
    invalid("Minimum memory limit can not be less than memory reservation limit, see usage")
}

function outOfMemory(r: Resources, cgroup: CgroupFacts, warnings: string[]): void {
  if (!can(cgroup, "memory", "oom-control")) {
    if (r.OomKillDisable) warnings.push("Your kernel does not support OomKillDisable. OomKillDisable discarded.")
    r.OomKillDisable = null
    return
  }
  r.OomKillDisable ??= false
  if (r.OomKillDisable && (r.Memory ?? 0) === 0)
    warnings.push(
      "OOM killer is disabled for the container, but no memory limit is set, this can result in the system running out of resources.",
    )
}

function cpu(r: Resources, { cgroup, cpus }: Facts, warnings: string[]): void {
  const nano = r.NanoCpus ?? 0
  const period = r.CpuPeriod ?? 0
  const quota = r.CpuQuota ?? 0
  if (nano > 0 && period > 0) invalid("Conflicting options: Nano CPUs and CPU Period cannot both be set")
  if (nano > 0 && quota > 0) invalid("Conflicting options: Nano CPUs and CPU Quota cannot both be set")
  if (nano > 0 && !can(cgroup, "cpu", "quota"))
    invalid("NanoCPUs can not be set, as your kernel does not support CPU CFS scheduler or the cgroup is not mounted")
  if (nano < 0 || nano > cpus * NANO)
    invalid(`range of CPUs is from 0.01 to ${cpus}.00, as there are only ${cpus} CPUs available`)
  if ((r.CpuShares ?? 0) < 0) invalid(`invalid CPU shares (${r.CpuShares}): value must be a positive integer`)
  if ((r.CpuShares ?? 0) > 0 && !can(cgroup, "cpu", "shares")) {
    warnings.push(absent("CPU shares", "Shares"))
    r.CpuShares = 0
  }
  if ((period !== 0 || quota !== 0) && !can(cgroup, "cpu", "quota")) {
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
  if ((r.CpuCount ?? 0) > 0) {
    warnings.push("linux does not support CPU count. Count discarded.")
    r.CpuCount = 0
  }
}

function cpuset(r: Resources, cgroup: CgroupFacts, warnings: string[]): void {
  if ((r.CpusetCpus || r.CpusetMems) && !cgroup.controllers.has("cpuset")) {
    warnings.push(absent("cpuset", "Cpuset"))
    r.CpusetCpus = ""
    r.CpusetMems = ""
  }
  const lacks = (asked: string, available: string, what: string): boolean => {
    try {
      return isOutside(asked, available)
    } catch (error) {
      return invalid(`Invalid value ${asked} for cpuset ${what}: ${(error as Error).message}`)
    }
  }
  if (r.CpusetCpus && lacks(r.CpusetCpus, cgroup.cpusetCpus, "cpus"))
    invalid(`Requested CPUs are not available - requested ${r.CpusetCpus}, available: ${cgroup.cpusetCpus}`)
  if (r.CpusetMems && lacks(r.CpusetMems, cgroup.cpusetMems, "mems"))
    invalid(`Requested memory nodes are not available - requested ${r.CpusetMems}, available: ${cgroup.cpusetMems}`)
}

const THROTTLES = [
  ["BlkioDeviceReadBps", "read-bps", "BPS Block I/O read limit", "Block I/O BPS read limit"],
  ["BlkioDeviceWriteBps", "write-bps", "BPS Block I/O write limit", "Block I/O BPS write limit"],
  ["BlkioDeviceReadIOps", "read-iops", "IOPS Block read limit", "Block I/O IOPS read limit"],
  ["BlkioDeviceWriteIOps", "write-iops", "IOPS Block write limit", "Block I/O IOPS write limit"],
] as const

function blockIo(r: Resources, cgroup: CgroupFacts, warnings: string[]): void {
  const controller = cgroup.controllers.has("blkio") || cgroup.controllers.has("io")
  const weighs = controller && cgroup.blockWeight
  if ((r.BlkioWeight ?? 0) > 0 && !weighs) {
    warnings.push(absent("Block I/O weight", "Weight"))
    r.BlkioWeight = 0
  }
  const weight = r.BlkioWeight ?? 0
  if (weight !== 0 && (weight < 10 || weight > 1000)) invalid("Range of blkio weight is from 10 to 1000")
  if (r.IOMaximumBandwidth) invalid("invalid option: QoS maximum bandwidth configuration is not supported on linux")
  if (r.IOMaximumIOps) invalid("invalid option: QoS maximum IOPs configuration is not supported on linux")
  if (r.BlkioWeightDevice?.length && (!weighs || cgroup.missing.has("weight-device"))) {
    warnings.push(absent("Block I/O weight_device", "Weight-device"))
    r.BlkioWeightDevice = []
  }
  for (const [field, limit, what, dropped] of THROTTLES) {
    if (!r[field]?.length || (controller && !cgroup.missing.has(limit))) continue
    warnings.push(absent(what, dropped))
    r[field] = []
  }
}

function checkHugePages({ PageSize: size, Limit: limit }: { PageSize: string; Limit: number }, cgroup: CgroupFacts) {
  if (limit < 0) invalid(`invalid limit of huge pages: ${limit}`)
  if (!cgroup.hugePageSizes.includes(size))
    invalid(
      `huge pages of "${size}" cannot be limited on this host, available: ${cgroup.hugePageSizes.join(", ") || "none"}`,
    )
}

export const ULIMITS: ReadonlySet<string> = new Set(
  "CORE CPU DATA FSIZE LOCKS MEMLOCK MSGQUEUE NICE NOFILE NPROC RSS RTPRIO RTTIME SIGPENDING STACK AS".split(" "),
)

/** -1 stands for no limit. */
function checkUlimit(name: string, soft: number, hard: number): void {
  if (!ULIMITS.has(name.toUpperCase())) invalid(`invalid ulimit type: ${name}`)
  const value = (limit: number): number => (limit < 0 ? Number.POSITIVE_INFINITY : limit)
  if (value(soft) > value(hard))
    invalid(`ulimit soft limit must be less than or equal to hard limit: ${soft} > ${hard}`)
}
