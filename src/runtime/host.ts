// Looks the host over once: cgroups, capabilities, kernel features. `prepareHost` mends the one thing that keeps crun from
// working: a controller left on the v2 side of a hybrid host.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync } from "node:fs"
import { availableParallelism, release, totalmem } from "node:os"
import { DhowError } from "../lib/errors.ts"
import { readIfExists } from "../lib/files.ts"
import { log } from "../lib/log.ts"
import { mount } from "../lib/syscalls/mount.ts"
import { hostPlatform } from "../oci/platform.ts"
import { CAPABILITY_NAMES } from "./capabilities.ts"
import { type CgroupMount, missingControllers, parseCgroupFacts, parseCgroupMounts } from "./host-cgroups.ts"
import type { CgroupLimit, HostFacts } from "./host-facts.ts"

const CGROUP_ROOT = "/sys/fs/cgroup"

export function probeHost(): HostFacts {
  const status = readFileSync("/proc/self/status", "utf8")
  const known = knownCapabilities()
  const [major = 0, minor = 0] = release()
    .split(".")
    .map((part) => Number.parseInt(part, 10))
  const apparmor = readIfExists("/sys/module/apparmor/parameters/enabled")?.trim() === "Y"
  return {
    cgroup: probeCgroups(),
    knownCapabilities: known,
    capabilities: capabilitySet(status, known),
    seccomp: /^Seccomp:/m.test(status),
    apparmor,
    apparmorProfile: apparmor ? loadedProfile() : undefined,
    selinux: existsSync("/sys/fs/selinux/enforce"),
    kernel: { release: release(), major, minor },
    architecture: hostPlatform().architecture,
    cpus: availableParallelism(),
    memory: totalmem(),
    rlimits: parseRlimits(readFileSync("/proc/self/limits", "utf8")),
    oomScoreAdj: Number(readIfExists("/proc/self/oom_score_adj") ?? 0),
    pingGroupRange: existsSync("/proc/sys/net/ipv4/ping_group_range"),
    unprivilegedPortStart: existsSync("/proc/sys/net/ipv4/ip_unprivileged_port_start"),
    thermalPaths: thermalPaths(),
  }
}

/**
 * Mounts the v1 hierarchy of every controller that a hybrid host has left to v2, and says so in the log. Returns those
 * controllers. Call before `probeHost`.
 */
export function prepareHost(): readonly string[] {
  const mounts = cgroupMounts()
  const mounted: string[] = []
  for (const controller of missingControllers(
    mounts,
    readIfExists("/proc/cgroups") ?? "",
    unifiedControllers(mounts),
  )) {
    const target = `${CGROUP_ROOT}/${controller}`
    const made = !existsSync(target)
    try {
      if (made) mkdirSync(target, { mode: 0o755 })
      mount("cgroup", target, { type: "cgroup", data: controller })
    } catch (cause) {
      if (made && existsSync(target)) rmdirSync(target)
      throw new DhowError("unavailable", `Cannot mount the cgroup v1 hierarchy "${controller}" at "${target}"`, {
        cause,
        hint: `crun does not work while a controller is left to cgroup v2 on a host with v1; --default-runtime runc does`,
      })
    }
    mounted.push(controller)
    log.info("mounted a cgroup v1 hierarchy that crun needs on a host with both versions", { controller, target })
  }
  return mounted
}

function cgroupMounts(): readonly CgroupMount[] {
  return parseCgroupMounts(readFileSync("/proc/self/mountinfo", "utf8"))
}

function unifiedControllers(mounts: readonly CgroupMount[]): string {
  const unified = mounts.find((entry) => entry.type === "cgroup2")
  return unified === undefined ? "" : (readIfExists(`${unified.path}/cgroup.controllers`) ?? "")
}

function probeCgroups(): HostFacts["cgroup"] {
  const mounts = cgroupMounts()
  const facts = parseCgroupFacts(mounts, unifiedControllers(mounts))
  const inOwn = (controller: string, file: string): boolean => {
    const root = facts.hierarchies.get(controller)
    return root !== undefined && existsSync(`${root}/${file}`)
  }
  const cpuset = cpusetOf(facts)
  if (facts.mode !== "v2")
    return {
      ...facts,
      ...cpuset,
      hugePageSizes: hugePageSizes(facts.hierarchies.get("hugetlb")),
      missing: new Set(V1_LIMITS.filter(([, controller, file]) => !inOwn(controller, file)).map(([limit]) => limit)),
      swapAccounting: inOwn("memory", "memory.memsw.limit_in_bytes"),
      blockWeight: inOwn("blkio", "blkio.weight") || inOwn("blkio", "blkio.bfq.weight"),
    }
  // The root has no such files; any group below it has.
  const own = /^0::(\/.+)$/m.exec(readIfExists("/proc/self/cgroup") ?? "")?.[1]
  const directory = own === undefined ? undefined : `${facts.unified}${own}`
  return {
    ...facts,
    ...cpuset,
    hugePageSizes: hugePageSizes(directory),
    missing: new Set(V2_LACKS),
    swapAccounting:
      directory === undefined || !existsSync(`${directory}/memory.max`)
        ? facts.controllers.has("memory") && existsSync("/proc/swaps")
        : existsSync(`${directory}/memory.swap.max`),
    blockWeight:
      directory !== undefined && (existsSync(`${directory}/io.weight`) || existsSync(`${directory}/io.bfq.weight`)),
  }
}

/** The file of each limit in a v1 hierarchy. */
const V1_LIMITS: readonly (readonly [CgroupLimit, string, string])[] = [
  ["shares", "cpu", "cpu.shares"],
  ["quota", "cpu", "cpu.cfs_quota_us"],
  ["realtime", "cpu", "cpu.rt_runtime_us"],
  ["reservation", "memory", "memory.soft_limit_in_bytes"],
  ["swappiness", "memory", "memory.swappiness"],
  ["oom-control", "memory", "memory.oom_control"],
  ["weight-device", "blkio", "blkio.weight_device"],
  ["read-bps", "blkio", "blkio.throttle.read_bps_device"],
  ["write-bps", "blkio", "blkio.throttle.write_bps_device"],
  ["read-iops", "blkio", "blkio.throttle.read_iops_device"],
  ["write-iops", "blkio", "blkio.throttle.write_iops_device"],
]
const V2_LACKS: readonly CgroupLimit[] = ["realtime", "swappiness", "oom-control"]

/** As the files of a cgroup name them. */
function hugePageSizes(directory: string | undefined): readonly string[] {
  if (directory === undefined || !existsSync(directory)) return []
  return readdirSync(directory).flatMap((name) => /^hugetlb\.(\w+)\.(?:limit_in_bytes|max)$/.exec(name)?.[1] ?? [])
}

function cpusetOf(facts: ReturnType<typeof parseCgroupFacts>): { cpusetCpus: string; cpusetMems: string } {
  const v1 = facts.hierarchies.get("cpuset")
  const read = (name: string, fallback: string): string =>
    (
      readIfExists(v1 === undefined ? `${facts.unified}/cpuset.${name}.effective` : `${v1}/cpuset.effective_${name}`) ??
      readIfExists(fallback) ??
      ""
    ).trim()
  return {
    cpusetCpus: read("cpus", "/sys/devices/system/cpu/online"),
    cpusetMems: read("mems", "/sys/devices/system/node/online"),
  }
}

function knownCapabilities(): readonly string[] {
  const last = Number(readIfExists("/proc/sys/kernel/cap_last_cap") ?? CAPABILITY_NAMES.length - 1)
  return CAPABILITY_NAMES.slice(0, last + 1)
}

/** What is permitted to us and within our bounding set: only that can be handed on. */
function capabilitySet(status: string, known: readonly string[]): ReadonlySet<string> {
  const mask = (name: string): bigint =>
    BigInt(`0x${new RegExp(`^${name}:\\s*([0-9a-f]+)$`, "m").exec(status)?.[1] ?? 0}`)
  const ours = mask("CapPrm") & mask("CapBnd")
  return new Set(known.filter((_, index) => (ours >> BigInt(index)) & 1n))
}

const LIMIT_NAMES: Readonly<Record<string, string>> = {
  "Max cpu time": "CPU",
  "Max file size": "FSIZE",
  "Max data size": "DATA",
  "Max stack size": "STACK",
  "Max core file size": "CORE",
  "Max resident set": "RSS",
  "Max processes": "NPROC",
  "Max open files": "NOFILE",
  "Max locked memory": "MEMLOCK",
  "Max address space": "AS",
  "Max file locks": "LOCKS",
  "Max pending signals": "SIGPENDING",
  "Max msgqueue size": "MSGQUEUE",
  "Max nice priority": "NICE",
  "Max realtime priority": "RTPRIO",
  "Max realtime timeout": "RTTIME",
}

export function parseRlimits(text: string): ReadonlyMap<string, { readonly soft: number; readonly hard: number }> {
  const value = (word: string): number => (word === "unlimited" ? Number.POSITIVE_INFINITY : Number(word))
  const found = new Map<string, { readonly soft: number; readonly hard: number }>()
  for (const line of text.split("\n")) {
    const match = /^(Max [a-z ]+?) {2,}(\w+) +(\w+)/.exec(line)
    const name = LIMIT_NAMES[match?.[1] ?? ""]
    if (match !== null && name !== undefined) found.set(name, { soft: value(match[2]!), hard: value(match[3]!) })
  }
  return found
}

function loadedProfile(): string | undefined {
  const profiles = readIfExists("/sys/kernel/security/apparmor/profiles") ?? ""
  return ["dhow-default", "docker-default"].find((name) => profiles.includes(`${name} (enforce)`))
}

function thermalPaths(): readonly string[] {
  const possible = readIfExists("/sys/devices/system/cpu/possible")?.trim() ?? ""
  const paths: string[] = []
  for (const range of possible.split(",")) {
    const [first = Number.NaN, last = first] = range.split("-").map(Number)
    for (let cpu = first; cpu <= last; cpu++) {
      const path = `/sys/devices/system/cpu/cpu${cpu}/thermal_throttle`
      if (existsSync(path)) paths.push(path)
    }
  }
  return paths
}
