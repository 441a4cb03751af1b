// What a container uses, read from its cgroups and from /proc: processor, memory, block I/O, processes, network. Pure
// reading; a file that the host does not have leaves its figure out.
import { join } from "node:path"
import { readIfExists } from "../lib/files.ts"
import type { BlkioEntry, BlkioStats, CpuStats, MemoryStats, NetworkStats, PidsStats } from "../wire/stats.ts"
import type { CgroupFacts } from "./host-facts.ts"

/** Of /proc/stat and cpuacct.stat: USER_HZ is 100 on every architecture that Linux containers run on. */
const NANOSECONDS_PER_TICK = 1e7

export type Usage = { cpu: CpuStats; memory: MemoryStats; blkio: BlkioStats; pids: PidsStats }

/** `memoryOfHost` in bytes stands for a limit where there is none. */
export function readUsage(cgroupsPath: string, facts: CgroupFacts, memoryOfHost: number): Usage {
  const read = (controller: string, file: string): string | undefined => {
    const root = facts.hierarchies.get(controller) ?? facts.unified
    return root === undefined ? undefined : readIfExists(join(root, cgroupsPath, file))
  }
  const isLegacy = (controller: string): boolean => facts.hierarchies.has(controller)
  return {
    cpu: isLegacy("cpuacct") ? cpuOfV1(read) : cpuOfV2(read),
    memory: isLegacy("memory") ? memoryOfV1(read, memoryOfHost) : memoryOfV2(read, memoryOfHost),
    blkio: isLegacy("blkio") ? blkioOfV1(read) : blkioOfV2(read),
    pids: pidsOf(read),
  }
}

type Read = (controller: string, file: string) => string | undefined

export const noCpu = (): CpuStats => ({
  cpu_usage: { total_usage: 0, usage_in_kernelmode: 0, usage_in_usermode: 0 },
  throttling_data: { periods: 0, throttled_periods: 0, throttled_time: 0 },
})

export const noBlkio = (): BlkioStats => ({
  io_service_bytes_recursive: null,
  io_serviced_recursive: null,
  io_queue_recursive: null,
  io_service_time_recursive: null,
  io_wait_time_recursive: null,
  io_merged_recursive: null,
  io_time_recursive: null,
  sectors_recursive: null,
})

function cpuOfV1(read: Read): CpuStats {
  const ticks = keyed(read("cpuacct", "cpuacct.stat"))
  const throttling = keyed(read("cpu", "cpu.stat"))
  const perCpu = read("cpuacct", "cpuacct.usage_percpu")?.trim().split(/\s+/).map(Number)
  return {
    cpu_usage: {
      total_usage: Number(read("cpuacct", "cpuacct.usage") ?? 0),
      ...(perCpu === undefined ? {} : { percpu_usage: perCpu }),
      usage_in_kernelmode: (ticks["system"] ?? 0) * NANOSECONDS_PER_TICK,
      usage_in_usermode: (ticks["user"] ?? 0) * NANOSECONDS_PER_TICK,
    },
    throttling_data: {
      periods: throttling["nr_periods"] ?? 0,
      throttled_periods: throttling["nr_throttled"] ?? 0,
      throttled_time: throttling["throttled_time"] ?? 0,
    },
  }
}

function cpuOfV2(read: Read): CpuStats {
  const stat = keyed(read("cpu", "cpu.stat"))
  const nanoseconds = (name: string): number => (stat[name] ?? 0) * 1000
  return {
    cpu_usage: {
      total_usage: nanoseconds("usage_usec"),
      usage_in_kernelmode: nanoseconds("system_usec"),
      usage_in_usermode: nanoseconds("user_usec"),
    },
    throttling_data: {
      periods: stat["nr_periods"] ?? 0,
      throttled_periods: stat["nr_throttled"] ?? 0,
      throttled_time: nanoseconds("throttled_usec"),
    },
  }
}

function memoryOfV1(read: Read, memoryOfHost: number): MemoryStats {
  const usage = read("memory", "memory.usage_in_bytes")
  if (usage === undefined) return {}
  return {
    usage: Number(usage),
    max_usage: Number(read("memory", "memory.max_usage_in_bytes") ?? 0),
    stats: keyed(read("memory", "memory.stat")),
    failcnt: Number(read("memory", "memory.failcnt") ?? 0),
    limit: Math.min(Number(read("memory", "memory.limit_in_bytes") ?? memoryOfHost), memoryOfHost),
  }
}

/** Adds `rss`, the name that `anon` had: clients of the time before cgroup v2 look for it in the answer's text. */
function memoryOfV2(read: Read, memoryOfHost: number): MemoryStats {
  const usage = read("memory", "memory.current")
  if (usage === undefined) return {}
  const stats = keyed(read("memory", "memory.stat"))
  const limit = Number(read("memory", "memory.max"))
  return {
    usage: Number(usage),
    stats: { ...stats, rss: stats["anon"] ?? 0 },
    failcnt: keyed(read("memory", "memory.events"))["oom"] ?? 0,
    limit: Math.min(Number.isFinite(limit) ? limit : memoryOfHost, memoryOfHost),
  }
}

/** The throttling layer counts whatever the scheduler does not. */
function blkioOfV1(read: Read): BlkioStats {
  const entries = (...files: readonly string[]): BlkioEntry[] => {
    for (const file of files) {
      const found = blkioLines(read("blkio", `blkio.${file}`))
      if (found.length > 0) return found
    }
    return []
  }
  return {
    io_service_bytes_recursive: entries(
      "io_service_bytes_recursive",
      "bfq.io_service_bytes_recursive",
      "throttle.io_service_bytes_recursive",
    ),
    io_serviced_recursive: entries(
      "io_serviced_recursive",
      "bfq.io_serviced_recursive",
      "throttle.io_serviced_recursive",
    ),
    io_queue_recursive: entries("io_queued_recursive", "bfq.io_queued_recursive"),
    io_service_time_recursive: entries("io_service_time_recursive", "bfq.io_service_time_recursive"),
    io_wait_time_recursive: entries("io_wait_time_recursive", "bfq.io_wait_time_recursive"),
    io_merged_recursive: entries("io_merged_recursive", "bfq.io_merged_recursive"),
    io_time_recursive: entries("time_recursive", "bfq.time_recursive"),
    sectors_recursive: entries("sectors_recursive", "bfq.sectors_recursive"),
  }
}

/** Lines like "8:0 Read 4096", or "8:0 4096". */
export function blkioLines(text: string | undefined): BlkioEntry[] {
  const found: BlkioEntry[] = []
  for (const [, major, minor, op, value] of (text ?? "").matchAll(/^(\d+):(\d+)(?: (\w+))? (\d+)$/gm))
    found.push({ major: Number(major), minor: Number(minor), op: op ?? "", value: Number(value) })
  return found
}

/** Lines like "8:0 rbytes=4096 wbytes=0 rios=1 wios=0". */
function blkioOfV2(read: Read): BlkioStats {
  const bytes: BlkioEntry[] = []
  const operations: BlkioEntry[] = []
  for (const [, major, minor, rest] of (read("io", "io.stat") ?? "").matchAll(/^(\d+):(\d+) (.*)$/gm)) {
    const device = { major: Number(major), minor: Number(minor) }
    const value = (name: string): number => Number(new RegExp(`\\b${name}=(\\d+)`).exec(rest ?? "")?.[1] ?? 0)
    bytes.push({ ...device, op: "read", value: value("rbytes") }, { ...device, op: "write", value: value("wbytes") })
    operations.push({ ...device, op: "read", value: value("rios") }, { ...device, op: "write", value: value("wios") })
  }
  return { ...noBlkio(), io_service_bytes_recursive: bytes, io_serviced_recursive: operations }
}

function pidsOf(read: Read): PidsStats {
  const current = read("pids", "pids.current")
  if (current === undefined) return {}
  const limit = Number(read("pids", "pids.max"))
  return { current: Number(current), ...(Number.isFinite(limit) ? { limit } : {}) }
}

/** Lines of a name and a number. */
export function keyed(text: string | undefined): Record<string, number> {
  const found: Record<string, number> = {}
  for (const [, name = "", value] of (text ?? "").matchAll(/^(\S+) (\d+)$/gm)) found[name] = Number(value)
  return found
}

/** The host's processor time since boot, idle time included, in nanoseconds, and how many processors there are. */
export function readHostCpu(): { readonly system_cpu_usage: number; readonly online_cpus: number } {
  const text = readIfExists("/proc/stat") ?? ""
  const ticks = /^cpu +(.*)$/m.exec(text)?.[1]?.split(" ").slice(0, 7).map(Number) ?? []
  return {
    system_cpu_usage: ticks.reduce((sum, one) => sum + one, 0) * NANOSECONDS_PER_TICK,
    online_cpus: text.match(/^cpu\d/gm)?.length ?? 0,
  }
}

/** The interfaces in the network namespace of a process, or of this thread, the loopback left out. Undefined once it has ended. */
export function readNetworkUsage(pid: number | "thread-self"): Record<string, NetworkStats> | undefined {
  const text = readIfExists(`/proc/${pid}/net/dev`)
  if (text === undefined) return undefined
  const found: Record<string, NetworkStats> = {}
  for (const [, name = "", counters = ""] of text.matchAll(/^ *([^:\s|]+): *(.*)$/gm)) {
    if (name === "lo") continue
    const value = counters.trim().split(/\s+/).map(Number)
    const at = (index: number): number => value[index] ?? 0
    found[name] = {
      rx_bytes: at(0),
      rx_packets: at(1),
      rx_errors: at(2),
      rx_dropped: at(3),
      tx_bytes: at(8),
      tx_packets: at(9),
      tx_errors: at(10),
      tx_dropped: at(11),
    }
  }
  return found
}
