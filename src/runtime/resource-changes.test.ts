import { expect, test } from "bun:test"
import type { Resources } from "../wire/container.ts"
import { changedResources } from "./resource-changes.ts"

const none = { readBps: [], writeBps: [], readIOps: [], writeIOps: [], weights: [] }
const changes = (before: Resources, after: Resources) =>
  changedResources({ ...before, devices: none }, { ...after, devices: none }, { cpus: 4 })

test("changedResources() says what differs and nothing else", () => {
  expect(changes({ Memory: 5, CpuShares: 2 }, { Memory: 5, CpuShares: 3 })).toEqual({ cpu: { shares: 3 } })
  expect(changes({ Memory: 5 }, { Memory: 5 })).toEqual({})
})

test("changedResources() gives memory with its swap, since each bounds the other", () => {
  expect(changes({}, { Memory: 64, MemorySwap: 128 })).toEqual({ memory: { limit: 64, swap: 128 } })
  expect(changes({ Memory: 64, MemorySwap: 128 }, { Memory: 32, MemorySwap: 128 })).toEqual({
    memory: { limit: 32, swap: 128 },
  })
})

test("changedResources() says of what is without a limit now that it has none", () => {
  const limited: Resources = {
    Memory: 64,
    MemorySwap: 64,
    MemoryReservation: 8,
    NanoCpus: 5e8,
    PidsLimit: 5,
    CpusetCpus: "1",
  }
  expect(changes(limited, {})).toEqual({
    memory: { limit: -1, swap: -1, reservation: -1 },
    cpu: { period: 100_000, quota: -1, cpus: "0-3" },
    pids: { limit: -1 },
  })
})

test("changedResources() knows that half a CPU and half a period are the same", () => {
  expect(changes({ NanoCpus: 5e8 }, { CpuPeriod: 100_000, CpuQuota: 50_000 })).toEqual({})
  expect(changes({}, { NanoCpus: 1.5e9 })).toEqual({ cpu: { period: 100_000, quota: 150_000 } })
})

test("changedResources() takes rates of devices away with a zero", () => {
  const disk = { major: 8, minor: 0, rate: 100 }
  const before = { devices: { ...none, readBps: [disk], writeBps: [disk] } }
  const after = { devices: { ...none, readBps: [{ ...disk, rate: 200 }] } }
  expect(changedResources(before, after, { cpus: 1 })).toEqual({
    blockIO: { throttleReadBpsDevice: [{ ...disk, rate: 200 }], throttleWriteBpsDevice: [{ ...disk, rate: 0 }] },
  })
})
