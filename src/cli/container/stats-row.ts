// A reading of what a container uses, as docker's client shows it.
import type { ContainerStats, CpuStats, MemoryStats } from "../../wire/stats.ts"
import { rateText } from "../create/net-rate.ts"
import { binarySize, humanSize } from "../render/human.ts"
import type { Columns } from "../render/rows.ts"

export type StatsRow = {
  readonly Container: string
  readonly Name: string
  readonly ID: string
  readonly CPUPerc: string
  readonly MemUsage: string
  readonly MemPerc: string
  readonly NetIO: string
  readonly BlockIO: string
  readonly PIDs: string
  /** "10mbit / --": into the container and out of it, the lowest of its interfaces. */
  readonly NetLimit: string
  /** Packets that the limits dropped. */
  readonly NetLimitDropped: string
}

export const STATS_COLUMNS: Columns = {
  headers: {
    Container: "CONTAINER",
    ID: "CONTAINER ID",
    Name: "NAME",
    CPUPerc: "CPU %",
    MemUsage: "MEM USAGE / LIMIT",
    MemPerc: "MEM %",
    NetIO: "NET I/O",
    BlockIO: "BLOCK I/O",
    PIDs: "PIDS",
    NetLimit: "NET LIMIT",
    NetLimitDropped: "DROPPED",
  },
  shown: ["ID", "Name", "CPUPerc", "MemUsage", "MemPerc", "NetIO", "BlockIO", "PIDs"],
}

const LIMIT_COLUMNS = ["NetLimit", "NetLimitDropped"]
const NO_LIMIT = "-- / --"

/** Those of limits too where a container has one. */
export function shownColumns(rows: readonly StatsRow[]): readonly string[] {
  const hasLimits = rows.some(({ NetLimit }) => NetLimit !== NO_LIMIT)
  return hasLimits ? [...STATS_COLUMNS.shown, ...LIMIT_COLUMNS] : STATS_COLUMNS.shown
}

export const NOTHING_YET: StatsRow = {
  Container: "--",
  Name: "--",
  ID: "--",
  CPUPerc: "--",
  MemUsage: "-- / --",
  MemPerc: "--",
  NetIO: "--",
  BlockIO: "--",
  PIDs: "--",
  NetLimit: NO_LIMIT,
  NetLimitDropped: "--",
}

export function statsRow(container: string, reading: ContainerStats): StatsRow {
  const used = memoryInUse(reading.memory_stats)
  const limit = reading.memory_stats.limit ?? 0
  const networks = Object.values(reading.networks ?? {})
  const total = (pick: (one: (typeof networks)[number]) => number): number =>
    networks.reduce((sum, one) => sum + pick(one), 0)
  const pair = (first: number, second: number): string => `${humanSize(first, 3)} / ${humanSize(second, 3)}`
  return {
    Container: container,
    Name: reading.name.replace(/^\//, ""),
    ID: reading.id,
    CPUPerc: percent(cpuShare(reading.precpu_stats, reading.cpu_stats)),
    MemUsage: `${binarySize(used)} / ${binarySize(limit)}`,
    MemPerc: percent(limit === 0 ? 0 : used / limit),
    NetIO: pair(
      total((one) => one.rx_bytes),
      total((one) => one.tx_bytes),
    ),
    BlockIO: pair(blockBytes(reading, "r"), blockBytes(reading, "w")),
    PIDs: String(reading.pids_stats.current ?? 0),
    NetLimit: `${limitText(networks.map((one) => one.rx_limit))} / ${limitText(networks.map((one) => one.tx_limit))}`,
    NetLimitDropped: networks.some((one) => one.rx_limit || one.tx_limit)
      ? String(total((one) => (one.rx_limit_dropped ?? 0) + (one.tx_limit_dropped ?? 0)))
      : "--",
  }
}

function limitText(rates: readonly (number | undefined)[]): string {
  const [lowest] = rates.flatMap((rate) => rate || []).sort((a, b) => a - b)
  return lowest === undefined ? "--" : rateText(lowest)
}

const percent = (share: number): string => `${(share * 100).toFixed(2)}%`

/** Of one processor: 2 is two of them, busy all the time since the reading before. */
function cpuShare(before: CpuStats, now: CpuStats): number {
  const container = now.cpu_usage.total_usage - before.cpu_usage.total_usage
  const host = (now.system_cpu_usage ?? 0) - (before.system_cpu_usage ?? 0)
  return container > 0 && host > 0 ? (container / host) * (now.online_cpus ?? 1) : 0
}

/** Without the files that the kernel could drop from its cache at once, as docker counts. */
function memoryInUse({ usage = 0, stats = {} }: MemoryStats): number {
  const inactive = stats["total_inactive_file"] ?? stats["inactive_file"] ?? 0
  return inactive < usage ? usage - inactive : usage
}

function blockBytes({ blkio_stats }: ContainerStats, letter: "r" | "w"): number {
  return (blkio_stats.io_service_bytes_recursive ?? [])
    .filter((entry) => entry.op.toLowerCase().startsWith(letter))
    .reduce((sum, entry) => sum + entry.value, 0)
}
