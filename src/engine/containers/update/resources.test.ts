import { expect, test } from "bun:test"
import type { HostConfig } from "../../../wire/container.ts"
import { mergeResources } from "./resources.ts"

test("mergeResources() takes zero and nothing for no wish, and no limit of processes for one", () => {
  const current: HostConfig = {
    Memory: 64 << 20,
    MemorySwap: 128 << 20,
    CpuShares: 512,
    CpusetCpus: "0",
    PidsLimit: 10,
  }
  expect(mergeResources(current, { Memory: 0, CpuShares: 0, CpusetCpus: "", Ulimits: [] })).toEqual(current)
  expect(mergeResources(current, { PidsLimit: 0 }).PidsLimit).toBe(0)
  expect(mergeResources(current, { CpuShares: 256 }).CpuShares).toBe(256)
})

test("mergeResources() refuses what Docker refuses, in its words", () => {
  const conflict = (what: string, because: string): string =>
    `Conflicting options: ${what} cannot be updated as ${because} has already been set`
  expect(() => mergeResources({ CpuPeriod: 5 }, { NanoCpus: 1e9 })).toThrow(conflict("Nano CPUs", "CPU Period"))
  expect(() => mergeResources({ CpuQuota: 5 }, { NanoCpus: 1e9 })).toThrow(conflict("Nano CPUs", "CPU Quota"))
  expect(() => mergeResources({ NanoCpus: 1 }, { CpuPeriod: 5 })).toThrow(conflict("CPU Period", "NanoCPUs"))
  expect(() => mergeResources({ NanoCpus: 1 }, { CpuQuota: 5 })).toThrow(conflict("CPU Quota", "NanoCPUs"))
  expect(() => mergeResources({ Memory: 10, MemorySwap: 20 }, { Memory: 30 })).toThrow(
    "Memory limit should be smaller than already set memoryswap limit, update the memoryswap at the same time",
  )
  expect(mergeResources({ Memory: 10, MemorySwap: 20 }, { Memory: 30, MemorySwap: 40 }).Memory).toBe(30)
  expect(mergeResources({ Memory: 10, MemorySwap: -1 }, { Memory: 30 }).Memory).toBe(30)
})

test("mergeResources() takes limits away by name, and a conflict with one that goes is none", () => {
  const current: HostConfig = {
    NanoCpus: 1e9,
    Memory: 64 << 20,
    PidsLimit: 5,
    Ulimits: [{ Name: "nofile", Soft: 1, Hard: 1 }],
  }
  expect(mergeResources(current, { Reset: ["Memory", "PidsLimit", "Ulimits"] })).toEqual({
    NanoCpus: 1e9,
    Memory: 0,
    PidsLimit: null,
    Ulimits: null,
  })
  expect(mergeResources(current, { Reset: ["NanoCpus"], CpuQuota: 50_000 })).toMatchObject({
    NanoCpus: 0,
    CpuQuota: 50_000,
  })
  expect(() => mergeResources(current, { Reset: ["Env"] })).toThrow('Cannot reset "Env": it is no resource')
})
