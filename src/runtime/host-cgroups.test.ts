import { expect, test } from "bun:test"
import { missingControllers, parseCgroupFacts, parseCgroupMounts } from "./host-cgroups.ts"

const line = (path: string, type: string, options: string): string =>
  `32 31 0:29 / ${path} rw,relatime shared:9 - ${type} cgroup ${options}`
const HYBRID = [
  "31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755",
  line("/sys/fs/cgroup/cpu,cpuacct", "cgroup", "rw,cpu,cpuacct"),
  line("/sys/fs/cgroup/memory", "cgroup", "rw,memory"),
  line("/sys/fs/cgroup/systemd", "cgroup", "rw,xattr,name=systemd"),
  line("/sys/fs/cgroup/unified", "cgroup2", "rw,nsdelegate"),
].join("\n")
const PROC_CGROUPS =
  "#subsys_name\thierarchy\tnum_cgroups\tenabled\ncpu\t1\t1\t1\nhugetlb\t0\t1\t1\nio\t0\t1\t1\nblkio\t0\t1\t1\nrdma\t0\t1\t0\n"

test("parseCgroupFacts() tells v1, hybrid and v2 apart", () => {
  const hybrid = parseCgroupFacts(parseCgroupMounts(HYBRID), "hugetlb")
  expect(hybrid.mode).toBe("hybrid")
  expect(hybrid.controllers).toEqual(new Set(["cpu", "cpuacct", "memory"]))
  expect(hybrid.hierarchies.get("cpuacct")).toBe("/sys/fs/cgroup/cpu,cpuacct")
  expect(hybrid.hierarchies.get("name=systemd")).toBe("/sys/fs/cgroup/systemd")
  expect(hybrid.unified).toBe("/sys/fs/cgroup/unified")

  const v2 = parseCgroupFacts(parseCgroupMounts(line("/sys/fs/cgroup", "cgroup2", "rw")), "cpuset cpu io memory pids")
  expect(v2.mode).toBe("v2")
  expect(v2.controllers).toEqual(new Set(["cpuset", "cpu", "io", "memory", "pids", "devices", "freezer"]))

  const v1 = HYBRID.split("\n")
    .filter((entry) => !entry.includes("cgroup2"))
    .join("\n")
  expect(parseCgroupFacts(parseCgroupMounts(v1), "").mode).toBe("v1")
  expect(parseCgroupFacts([], "").mode).toBe("none")
})

test("missingControllers() are the ones left to v2 on a hybrid host", () => {
  expect(missingControllers(parseCgroupMounts(HYBRID), PROC_CGROUPS, "hugetlb io rdma\n")).toEqual(["hugetlb", "blkio"])
  expect(missingControllers(parseCgroupMounts(HYBRID), PROC_CGROUPS, "")).toEqual([])
  expect(missingControllers(parseCgroupMounts(line("/sys/fs/cgroup", "cgroup2", "rw")), PROC_CGROUPS, "io")).toEqual([])
})

test("parseCgroupMounts() reads escaped paths", () => {
  expect(parseCgroupMounts(line("/sys/a\\040b", "cgroup2", "rw"))[0]?.path).toBe("/sys/a b")
})
