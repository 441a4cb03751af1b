// From one set of limits to another, as the OCI specification writes it: only what differs, and what is without a limit
// now says so. Pure.
import type { RuntimeResources, ThrottleLimit } from "../oci/runtime-spec.ts"
import type { Resources } from "../wire/container.ts"
import type { HostFacts } from "./host-facts.ts"
import type { ResolvedDevices } from "./spec-input.ts"

const NANO = 1e9
const DEFAULT_PERIOD = 100_000
const DEFAULT_SHARES = 1024
const DEFAULT_SWAPPINESS = 60
const DEFAULT_WEIGHT = 500

type Mutable<T> = { -readonly [K in keyof T]: T[K] }
type Limits = Resources & {
  readonly devices: Pick<ResolvedDevices, "readBps" | "writeBps" | "readIOps" | "writeIOps" | "weights">
}

export function changedResources(before: Limits, after: Limits, host: Pick<HostFacts, "cpus">): RuntimeResources {
  const found: Mutable<RuntimeResources> = {}
  const memory = memoryChanges(before, after)
  if (memory !== undefined) found.memory = memory
  const cpu = cpuChanges(before, after, host)
  if (cpu !== undefined) found.cpu = cpu
  if ((before.PidsLimit ?? 0) !== (after.PidsLimit ?? 0))
    found.pids = { limit: (after.PidsLimit ?? 0) > 0 ? after.PidsLimit! : -1 }
  const block = blockChanges(before, after)
  if (block !== undefined) found.blockIO = block
  return found
}

function memoryChanges(before: Limits, after: Limits): RuntimeResources["memory"] {
  const part: Mutable<NonNullable<RuntimeResources["memory"]>> = {}
  const limit = (r: Limits): number => ((r.Memory ?? 0) > 0 ? r.Memory! : -1)
  const swap = (r: Limits): number => ((r.MemorySwap ?? 0) > 0 ? r.MemorySwap! : -1)
  // Each bounds the other: whoever sets them needs to know both.
  if (limit(before) !== limit(after) || swap(before) !== swap(after)) {
    part.limit = limit(after)
    part.swap = swap(after)
  }
  if ((before.MemoryReservation ?? 0) !== (after.MemoryReservation ?? 0))
    part.reservation = after.MemoryReservation || -1
  if ((before.MemorySwappiness ?? -1) !== (after.MemorySwappiness ?? -1))
    part.swappiness = after.MemorySwappiness ?? DEFAULT_SWAPPINESS
  if (Boolean(before.OomKillDisable) !== Boolean(after.OomKillDisable))
    part.disableOOMKiller = Boolean(after.OomKillDisable)
  return Object.keys(part).length > 0 ? part : undefined
}

function cpuChanges(before: Limits, after: Limits, { cpus }: Pick<HostFacts, "cpus">): RuntimeResources["cpu"] {
  const part: Mutable<NonNullable<RuntimeResources["cpu"]>> = {}
  const [was, now] = [bandwidth(before), bandwidth(after)]
  if (was.period !== now.period || was.quota !== now.quota) Object.assign(part, now)
  if ((before.CpuShares ?? 0) !== (after.CpuShares ?? 0)) part.shares = after.CpuShares || DEFAULT_SHARES
  if ((before.CpusetCpus ?? "") !== (after.CpusetCpus ?? "")) part.cpus = after.CpusetCpus || `0-${cpus - 1}`
  if ((before.CpusetMems ?? "") !== (after.CpusetMems ?? "")) part.mems = after.CpusetMems || "0"
  if ((before.CpuRealtimePeriod ?? 0) !== (after.CpuRealtimePeriod ?? 0) && after.CpuRealtimePeriod)
    part.realtimePeriod = after.CpuRealtimePeriod
  if ((before.CpuRealtimeRuntime ?? 0) !== (after.CpuRealtimeRuntime ?? 0))
    part.realtimeRuntime = after.CpuRealtimeRuntime ?? 0
  return Object.keys(part).length > 0 ? part : undefined
}

function bandwidth(r: Resources): { readonly period: number; readonly quota: number } {
  if ((r.NanoCpus ?? 0) > 0) return { period: DEFAULT_PERIOD, quota: Math.floor((r.NanoCpus! * DEFAULT_PERIOD) / NANO) }
  return { period: r.CpuPeriod || DEFAULT_PERIOD, quota: (r.CpuQuota ?? 0) > 0 ? r.CpuQuota! : -1 }
}

function blockChanges(before: Limits, after: Limits): RuntimeResources["blockIO"] {
  const part: Mutable<NonNullable<RuntimeResources["blockIO"]>> = {}
  if ((before.BlkioWeight ?? 0) !== (after.BlkioWeight ?? 0)) part.weight = after.BlkioWeight || DEFAULT_WEIGHT
  const [was, now] = [before.devices, after.devices]
  const weights = now.weights.filter((one) => !was.weights.some((old) => isSame(old, one) && old.weight === one.weight))
  if (weights.length > 0) part.weightDevice = weights
  const rates = {
    throttleReadBpsDevice: changedRates(was.readBps, now.readBps),
    throttleWriteBpsDevice: changedRates(was.writeBps, now.writeBps),
    throttleReadIOPSDevice: changedRates(was.readIOps, now.readIOps),
    throttleWriteIOPSDevice: changedRates(was.writeIOps, now.writeIOps),
  }
  for (const [name, limits] of Object.entries(rates)) if (limits.length > 0) part[name as keyof typeof rates] = limits
  return Object.keys(part).length > 0 ? part : undefined
}

/** A rate of 0 takes the limit away. */
function changedRates(before: readonly ThrottleLimit[], after: readonly ThrottleLimit[]): ThrottleLimit[] {
  const changed = after.filter((one) => !before.some((old) => isSame(old, one) && old.rate === one.rate))
  const gone = before.filter((old) => !after.some((one) => isSame(old, one)))
  return [...changed, ...gone.map((old) => ({ ...old, rate: 0 }))]
}

type Device = { readonly major: number; readonly minor: number }

function isSame(a: Device, b: Device): boolean {
  return a.major === b.major && a.minor === b.minor
}
