import { expect, test } from "bun:test"
import type { Resources } from "../wire/container.ts"
import { hostFacts, specInput, v2Facts } from "./fixtures.ts"
import { runtimeResources } from "./resources.ts"
import { verifyResources } from "./verify-resources.ts"

const host = hostFacts()
const MiB = 1 << 20

test("verifyResources() gives swap twice the memory, unless told otherwise", () => {
  expect(verifyResources({ Memory: 64 * MiB }, host).resources.MemorySwap).toBe(128 * MiB)
  expect(verifyResources({ Memory: 64 * MiB, MemorySwap: -1 }, host).resources.MemorySwap).toBe(-1)
})

test("verifyResources() leaves what it is given alone", () => {
  const asked: Resources = { Memory: 64 * MiB }
  verifyResources(asked, host)
  expect(asked).toEqual({ Memory: 64 * MiB })
})

test.each([
  [{ Memory: MiB }, "Minimum memory limit allowed is 6MB"],
  [
    { Memory: 64 * MiB, MemorySwap: 32 * MiB },
    "Minimum memoryswap limit should be larger than memory limit, see usage",
  ],
  [{ MemorySwap: 32 * MiB }, "You should always set the Memory limit when using Memoryswap limit, see usage"],
  [
    { Memory: 8 * MiB, MemoryReservation: 9 * MiB },
    "Minimum memory limit can not be less than memory reservation limit, see usage",
  ],
  [{ MemorySwappiness: 101 }, "Invalid value: 101, valid memory swappiness range is 0-100"],
  [{ NanoCpus: 5e9 }, "range of CPUs is from 0.01 to 4.00, as there are only 4 CPUs available"],
  [{ NanoCpus: 1e9, CpuQuota: 1000 }, "Conflicting options: Nano CPUs and CPU Quota cannot both be set"],
  [{ CpuPeriod: 10 }, "CPU cfs period can not be less than 1ms (i.e. 1000) or larger than 1s (i.e. 1000000)"],
  [{ CpusetCpus: "0-7" }, "Requested CPUs are not available - requested 0-7, available: 0-3"],
  [{ CpusetCpus: "a" }, "Invalid value a for cpuset cpus"],
  [{ BlkioWeight: 5 }, "Range of blkio weight is from 10 to 1000"],
] as [Resources, string][])("verifyResources() refuses %j", (asked, message) => {
  expect(() => verifyResources(asked, host)).toThrow(message)
})

test("verifyResources() drops what cgroup v2 has not, with a warning each", () => {
  const { resources, warnings } = verifyResources(
    { MemorySwappiness: 10, OomKillDisable: true },
    hostFacts({ cgroup: v2Facts() }),
  )
  expect(resources.MemorySwappiness).toBeNull()
  expect(resources.OomKillDisable).toBeNull()
  expect(warnings).toHaveLength(2)
})

test("runtimeResources() translates what was asked for and nothing else", () => {
  const asked: Resources = {
    Memory: 64 * MiB,
    MemorySwap: 128 * MiB,
    NanoCpus: 1.5e9,
    CpuShares: 512,
    CpusetCpus: "0,1",
    PidsLimit: 10,
  }
  expect(runtimeResources(asked)).toEqual({
    memory: { limit: 64 * MiB, swap: 128 * MiB },
    cpu: { shares: 512, cpus: "0,1", period: 100_000, quota: 150_000 },
    pids: { limit: 10 },
  })
  expect(runtimeResources({})).toEqual({})
})

test("runtimeResources() lifts the limit on processes at update only", () => {
  expect(runtimeResources({ PidsLimit: -1 })).toEqual({ pids: { limit: -1 } })
  expect(runtimeResources({ PidsLimit: 0 }, specInput().devices).pids).toBeUndefined()
})
