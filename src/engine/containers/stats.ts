// `stats`: what a container uses, now or every second. A container that does not run uses nothing, and a stream goes on
// through its stops and starts until it is removed.
import { setTimeout as sleep } from "node:timers/promises"
import { errnoName } from "../../lib/errors.ts"
import { noBlkio, noCpu, readHostCpu, readNetworkUsage, readUsage } from "../../runtime/usage.ts"
import type { ContainerStats, NetworkStats } from "../../wire/stats.ts"
import type { ContainerParts } from "./parts.ts"
import { cgroupsPathOf } from "./paths.ts"
import { type ContainerRecord, isRunning } from "./record.ts"

const INTERVAL_MS = 1000
const NEVER = "0001-01-01T00:00:00Z"

export type StatsOptions = {
  /** One reading every second; otherwise a single one. */
  readonly stream: boolean
  /** A single reading at once, without an earlier one to compare the processor time with. */
  readonly oneShot: boolean
  readonly signal: AbortSignal
}

/** Throws not-found at once; readings follow. */
export function containerStats(
  parts: ContainerParts,
  reference: string,
  { stream, oneShot, signal }: StatsOptions,
): AsyncIterable<ContainerStats> {
  const { record, state } = parts.store.resolve(reference)
  if (stream) return readings(parts, record, signal)
  return once(async () => {
    const first = read(parts, record)
    if (oneShot || !isRunning(state)) return first
    await pause(signal)
    return parts.store.find(record.id) === undefined ? first : after(first, read(parts, record))
  })
}

async function* once<T>(value: () => Promise<T>): AsyncIterable<T> {
  yield await value()
}

async function* readings(
  parts: ContainerParts,
  record: ContainerRecord,
  signal: AbortSignal,
): AsyncIterable<ContainerStats> {
  let before: ContainerStats | undefined
  while (!signal.aborted && parts.store.find(record.id) !== undefined) {
    const now = read(parts, record)
    yield before === undefined ? now : after(before, now)
    before = now
    await pause(signal)
  }
}

async function pause(signal: AbortSignal): Promise<void> {
  try {
    await sleep(INTERVAL_MS, undefined, { signal })
  } catch (error) {
    if (!signal.aborted) throw error
  }
}

const after = (before: ContainerStats, now: ContainerStats): ContainerStats => ({
  ...now,
  preread: before.read,
  precpu_stats: before.cpu_stats,
})

function read(parts: ContainerParts, { id }: ContainerRecord): ContainerStats {
  const { record, state } = parts.store.get(id)
  const nothing: ContainerStats = {
    name: `/${record.name}`,
    id,
    read: NEVER,
    preread: NEVER,
    pids_stats: {},
    blkio_stats: noBlkio(),
    num_procs: 0,
    storage_stats: {},
    cpu_stats: noCpu(),
    precpu_stats: noCpu(),
    memory_stats: {},
  }
  if (!isRunning(state)) return nothing
  try {
    const usage = readUsage(cgroupsPathOf(parts.config, record), parts.host.cgroup, parts.host.memory)
    const networks = networksOf(parts, record, state.process?.pid)
    return {
      ...nothing,
      read: new Date().toISOString(),
      pids_stats: usage.pids,
      blkio_stats: usage.blkio,
      cpu_stats: { ...usage.cpu, ...readHostCpu() },
      memory_stats: usage.memory,
      ...(networks === undefined ? {} : { networks }),
    }
  } catch (error) {
    // The cgroup went away between two reads: the container has just ended.
    if (errnoName(error) === "ENODEV") return nothing
    throw error
  }
}

/** The host's own interfaces are nobody's usage. */
function networksOf(
  parts: ContainerParts,
  record: ContainerRecord,
  pid: number | undefined,
): Record<string, NetworkStats> | undefined {
  const isHosts = record.hostConfig.NetworkMode === "host" || record.config.NetworkDisabled === true
  const usage = isHosts || pid === undefined ? undefined : readNetworkUsage(pid)
  return usage === undefined || !record.hostConfig.NetRate ? usage : withLimits(parts, record.id, usage)
}

function withLimits(
  { networks }: ContainerParts,
  id: string,
  usage: Readonly<Record<string, NetworkStats>>,
): Record<string, NetworkStats> {
  const limits = networks.limits(id)
  return Object.fromEntries(
    Object.entries(usage).map(([name, counters]) => {
      const limit = limits[name]
      if (limit === undefined) return [name, counters]
      const limited = {
        rx_limit: limit.rate.In ?? 0,
        tx_limit: limit.rate.Out ?? 0,
        rx_limit_dropped: limit.in.dropped,
        tx_limit_dropped: limit.out.dropped,
        rx_limit_delayed: limit.in.delayed,
        tx_limit_delayed: limit.out.delayed,
      }
      return [name, { ...counters, ...limited }]
    }),
  )
}
