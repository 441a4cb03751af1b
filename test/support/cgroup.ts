// The limits of a container as the kernel has them, on cgroup v1, hybrid and v2 hosts.
import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"

const ROOT = "/sys/fs/cgroup"

export type Limits = { readonly cpu: number; readonly memory: number; readonly pids: number }

export function readHostCgroups(parent: string, id: string): Limits {
  const read = (controller: string, file: string): string => {
    const unified = join(ROOT, parent, id, file)
    return readFileSync(existsSync(unified) ? unified : join(ROOT, controller, parent, id, file), "utf8").trim()
  }
  const isUnified = existsSync(join(ROOT, "cgroup.controllers"))
  const [quota, period] = isUnified
    ? read("", "cpu.max").split(" ")
    : [read("cpu", "cpu.cfs_quota_us"), read("cpu", "cpu.cfs_period_us")]
  return {
    cpu: Number(quota) / Number(period),
    memory: Number(isUnified ? read("", "memory.max") : read("memory", "memory.limit_in_bytes")),
    pids: Number(read("pids", "pids.max")),
  }
}
