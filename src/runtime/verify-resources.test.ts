import { describe, expect, test } from "bun:test"
import type { Resources } from "../wire/container.ts"
import { hostFacts, v2Facts } from "./fixtures.ts"
import type { CgroupFacts, CgroupLimit } from "./host-facts.ts"
import { verifyResources } from "./verify-resources.ts"

const MiB = 1 << 20
const host = hostFacts()
const without = (...missing: CgroupLimit[]) => hostFacts({ cgroup: { ...host.cgroup, missing: new Set(missing) } })
const throttle = [{ Path: "/dev/sda", Rate: 1 }]

describe("verifyResources()", () => {
  test.each([
    [
      { CpuRealtimePeriod: 1000, CpuRealtimeRuntime: 2000 },
      "cpu real-time runtime cannot be higher than cpu real-time period",
    ],
    [{ CpusetMems: "1" }, "Requested memory nodes are not available - requested 1, available: 0"],
    [{ CpusetMems: "x" }, "Invalid value x for cpuset mems: invalid format: x"],
    [{ BlkioWeight: 5 }, "Range of blkio weight is from 10 to 1000"],
    [{ Ulimits: [{ Name: "nope", Soft: 1, Hard: 1 }] }, "invalid ulimit type: nope"],
    [
      { Ulimits: [{ Name: "nofile", Soft: 5, Hard: 1 }] },
      "ulimit soft limit must be less than or equal to hard limit: 5 > 1",
    ],
    [{ Ulimits: [{ Name: "nofile", Soft: -1, Hard: 1 }] }, "ulimit soft limit must be less than or equal"],
    [
      { HugetlbLimits: [{ PageSize: "3MB", Limit: 1 }] },
      'huge pages of "3MB" cannot be limited on this host, available: 2MB',
    ],
  ] as [Resources, string][])("refuses %j", (asked, message) => {
    expect(() => verifyResources(asked, host)).toThrow(message)
  })

  test("refuses real-time limits where the kernel has none", () => {
    expect(() => verifyResources({ CpuRealtimePeriod: 5 }, without("realtime"))).toThrow(
      "kernel does not support CPU real-time scheduler",
    )
  })

  test("drops with a warning each what a kernel lacks", () => {
    const asked: Resources = {
      ...{ CpuShares: 5, CpuPeriod: 5000, MemoryReservation: 8 * MiB, MemorySwappiness: 5, OomKillDisable: true },
      ...{ BlkioWeightDevice: [{ Path: "/dev/sda", Weight: 5 }], BlkioDeviceReadBps: throttle },
      ...{ BlkioDeviceWriteBps: throttle, BlkioDeviceReadIOps: throttle, BlkioDeviceWriteIOps: throttle },
    }
    const lacking = without(
      ...(["shares", "quota", "reservation", "swappiness", "oom-control", "weight-device"] as const),
      ...(["read-bps", "write-bps", "read-iops", "write-iops"] as const),
    )
    const { resources, warnings } = verifyResources(asked, lacking)
    expect(warnings.map((warning) => warning.replace("Your kernel does not support ", ""))).toEqual([
      "memory swappiness capabilities or the cgroup is not mounted. Memory swappiness discarded.",
      "memory soft limit capabilities or the cgroup is not mounted. Limitation discarded.",
      "OomKillDisable. OomKillDisable discarded.",
      "CPU shares or the cgroup is not mounted. Shares discarded.",
      "CPU CFS scheduler. CPU period/quota discarded.",
      "Block I/O weight_device or the cgroup is not mounted. Weight-device discarded.",
      "BPS Block I/O read limit or the cgroup is not mounted. Block I/O BPS read limit discarded.",
      "BPS Block I/O write limit or the cgroup is not mounted. Block I/O BPS write limit discarded.",
      "IOPS Block read limit or the cgroup is not mounted. Block I/O IOPS read limit discarded.",
      "IOPS Block write limit or the cgroup is not mounted. Block I/O IOPS write limit discarded.",
    ])
    expect(resources).toMatchObject({
      ...{ CpuShares: 0, CpuPeriod: 0, MemoryReservation: 0, MemorySwappiness: null, OomKillDisable: null },
      ...{ BlkioWeightDevice: [], BlkioDeviceReadBps: [], BlkioDeviceWriteBps: [] },
    })
  })

  test("drops everything where no controller is mounted", () => {
    const none: CgroupFacts = { ...host.cgroup, controllers: new Set(), swapAccounting: false, blockWeight: false }
    const asked: Resources = {
      Memory: 8 * MiB,
      PidsLimit: 5,
      CpusetCpus: "0",
      BlkioDeviceReadBps: throttle,
      BlkioWeight: 5,
    }
    const { resources, warnings } = verifyResources(asked, { ...host, cgroup: none })
    expect(resources).toMatchObject({ Memory: 0, MemorySwap: -1, PidsLimit: null, CpusetCpus: "", BlkioWeight: 0 })
    expect(warnings).toHaveLength(5)
  })

  test("says of the OOM killer that it works, where it can be told to", () => {
    expect(verifyResources({}, host).resources.OomKillDisable).toBe(false)
    expect(verifyResources({}, { ...host, cgroup: v2Facts() }).resources.OomKillDisable).toBeNull()
  })
})
