// What a container's cgroup counted, read when its processes have ended and before it is removed. A file that the kernel
// does not have leaves its figure out; so does a cgroup that is gone.
import { join } from "node:path"
import { errnoName } from "../lib/errors.ts"
import { readIfExists } from "../lib/files.ts"
import type { Limits, Usage } from "../wire/exit.ts"
import type { CgroupFacts } from "./host-facts.ts"
import { blkioLines, keyed } from "./usage.ts"

export type CgroupUsage = Omit<Usage, "WallTime" | "Missing" | "ReceivedBytes" | "SentBytes">

type Figures = { readonly [Name in keyof CgroupUsage]?: CgroupUsage[Name] | undefined }

type Read = (controller: string, file: string) => string | undefined

const NANOSECONDS_PER_TICK = 1e7
/** cgroup v1 says "no limit" with a number near 2^63. */
const NO_LIMIT = 2 ** 60

export function readFinalUsage(
  cgroupsPath: string,
  facts: Pick<CgroupFacts, "hierarchies" | "unified">,
): { readonly usage: CgroupUsage; readonly limits: Limits } {
  const read: Read = (controller, file) => {
    const root = facts.hierarchies.get(controller) ?? facts.unified
    return root === undefined ? undefined : readFigure(join(root, cgroupsPath, file))
  }
  const isLegacy = (controller: string): boolean => facts.hierarchies.has(controller)
  return {
    usage: present({
      ...(isLegacy("cpuacct") ? cpuOfV1(read) : cpuOfV2(read)),
      MemoryPeak: number(read("memory", isLegacy("memory") ? "memory.max_usage_in_bytes" : "memory.peak")),
      ...(isLegacy("blkio") ? blkioOfV1(read) : blkioOfV2(read)),
      ProcessesPeak: number(read("pids", "pids.peak")),
    }),
    limits: { ...(isLegacy("memory") ? memoryOfV1(read) : memoryOfV2(read)), ...pidsOf(read) },
  }
}

/** A cgroup that is removed meanwhile answers ENODEV. */
function readFigure(path: string): string | undefined {
  try {
    return readIfExists(path)
  } catch (error) {
    if (["ENODEV", "ENOTDIR", "EOPNOTSUPP"].includes(errnoName(error) ?? "")) return undefined
    throw error
  }
}

function cpuOfV1(read: Read): Figures {
  const ticks = read("cpuacct", "cpuacct.stat")
  const { user = 0, system = 0 } = keyed(ticks)
  return {
    CPUTime: number(read("cpuacct", "cpuacct.usage")),
    UserTime: ticks === undefined ? undefined : user * NANOSECONDS_PER_TICK,
    SystemTime: ticks === undefined ? undefined : system * NANOSECONDS_PER_TICK,
    ...throttled(read, 1),
  }
}

function cpuOfV2(read: Read): Figures {
  const text = read("cpu", "cpu.stat")
  if (text === undefined) return {}
  const stat = keyed(text)
  const nanoseconds = (name: string): number => (stat[name] ?? 0) * 1000
  return {
    CPUTime: nanoseconds("usage_usec"),
    UserTime: nanoseconds("user_usec"),
    SystemTime: nanoseconds("system_usec"),
    ...throttled(read, 1000),
  }
}

/** Zero where the kernel counts no throttling: then nothing was throttled. */
function throttled(read: Read, unit: number): Figures {
  const text = read("cpu", "cpu.stat")
  if (text === undefined) return {}
  const stat = keyed(text)
  const time = stat["throttled_time"] ?? stat["throttled_usec"] ?? 0
  return { ThrottledTime: time * unit, ThrottledPeriods: stat["nr_throttled"] ?? 0 }
}

function blkioOfV1(read: Read): Figures {
  // bfq counts where it schedules, the throttling layer everything else; an empty file may only mean the other one.
  const lines = (name: string) => {
    const texts = [`bfq.${name}`, `throttle.${name}`].map((file) => read("blkio", `blkio.${file}`))
    const found = texts.map(blkioLines).find((entries) => entries.length > 0)
    return found ?? (texts.some((text) => text !== undefined) ? [] : undefined)
  }
  const sum = (name: string, op: string): number | undefined =>
    lines(name)
      ?.filter((entry) => entry.op === op)
      .reduce((total, { value }) => total + value, 0)
  return {
    ReadBytes: sum("io_service_bytes_recursive", "Read"),
    WriteBytes: sum("io_service_bytes_recursive", "Write"),
    ReadOperations: sum("io_serviced_recursive", "Read"),
    WriteOperations: sum("io_serviced_recursive", "Write"),
  }
}

function blkioOfV2(read: Read): Figures {
  const text = read("io", "io.stat")
  if (text === undefined) return {}
  const sum = (name: string): number => {
    let total = 0
    for (const [, value] of text.matchAll(new RegExp(`\\b${name}=(\\d+)`, "g"))) total += Number(value)
    return total
  }
  return {
    ReadBytes: sum("rbytes"),
    WriteBytes: sum("wbytes"),
    ReadOperations: sum("rios"),
    WriteOperations: sum("wios"),
  }
}

function memoryOfV1(read: Read): Limits {
  return present({
    OOMKills: keyed(read("memory", "memory.oom_control"))["oom_kill"] ?? 0,
    MemoryLimit: limit(read("memory", "memory.limit_in_bytes")),
    MemoryLimitHits: number(read("memory", "memory.failcnt")),
  })
}

function memoryOfV2(read: Read): Limits {
  const text = read("memory", "memory.events")
  const events = keyed(text)
  return present({
    OOMKills: events["oom_kill"] ?? 0,
    MemoryLimit: limit(read("memory", "memory.max")),
    MemoryLimitHits: text === undefined ? undefined : (events["max"] ?? 0),
  })
}

function pidsOf(read: Read): Partial<Limits> {
  const events = read("pids", "pids.events")
  return present({
    ProcessLimit: limit(read("pids", "pids.max")),
    ProcessesRefused: events === undefined ? undefined : (keyed(events)["max"] ?? 0),
  })
}

function number(text: string | undefined): number | undefined {
  const value = text === undefined || text.trim() === "" ? Number.NaN : Number(text)
  return Number.isFinite(value) ? value : undefined
}

function limit(text: string | undefined): number | undefined {
  const value = number(text)
  return value !== undefined && value < NO_LIMIT ? value : undefined
}

/** Without the fields that nothing is known of. */
function present<T extends object>(figures: { readonly [Name in keyof T]: T[Name] | undefined }): T {
  return Object.fromEntries(Object.entries(figures).filter(([, value]) => value !== undefined)) as T
}
