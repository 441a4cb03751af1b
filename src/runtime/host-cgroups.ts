// Reads how cgroups are mounted: v1, v2 or both. Pure: takes the texts of /proc files.
import type { CgroupFacts, CgroupMode } from "./host-facts.ts"

export type CgroupMount = {
  readonly path: string
  readonly type: "cgroup" | "cgroup2"
  /** Super block options: the controllers of a v1 hierarchy are among them. */
  readonly options: readonly string[]
}

const V1_CONTROLLERS = new Set([
  "cpu",
  "cpuacct",
  "cpuset",
  "memory",
  "devices",
  "freezer",
  "net_cls",
  "net_prio",
  "blkio",
  "perf_event",
  "hugetlb",
  "pids",
  "rdma",
  "misc",
])

/** The cgroup mounts of /proc/self/mountinfo, first ones first; a later mount over the same path hides the earlier. */
export function parseCgroupMounts(mountinfo: string): readonly CgroupMount[] {
  const found = new Map<string, CgroupMount>()
  for (const line of mountinfo.split("\n")) {
    const [before = "", after] = line.split(" - ", 2)
    if (after === undefined) continue
    const [type, , options = ""] = after.split(" ")
    const path = unescapeOctal(before.split(" ")[4] ?? "")
    if (type === "cgroup" || type === "cgroup2") found.set(path, { path, type, options: options.split(",") })
  }
  return [...found.values()]
}

/** What is left for the prober to find out. */
type ProbedFacts = "swapAccounting" | "blockWeight" | "missing" | "cpusetCpus" | "cpusetMems" | "hugePageSizes"

/** What `/proc/self/mountinfo` and the root's cgroup.controllers say. */
export function parseCgroupFacts(
  mounts: readonly CgroupMount[],
  unifiedControllers: string,
): Omit<CgroupFacts, ProbedFacts> {
  const hierarchies = new Map<string, string>()
  const controllers = new Set<string>()
  let unified: string | undefined
  for (const { path, type, options } of mounts) {
    if (type === "cgroup2") {
      // Tools mount further ones elsewhere; the shortest path is the host's.
      if (unified === undefined || path.length < unified.length) unified = path
      continue
    }
    for (const option of options) {
      if (!V1_CONTROLLERS.has(option) && !option.startsWith("name=")) continue
      if (!hierarchies.has(option)) hierarchies.set(option, path)
      if (V1_CONTROLLERS.has(option)) controllers.add(option)
    }
  }
  const mode: CgroupMode =
    controllers.size > 0 ? (unified === undefined ? "v1" : "hybrid") : unified === undefined ? "none" : "v2"
  if (mode === "v2") {
    for (const name of words(unifiedControllers)) controllers.add(name)
    // Without files of their own in v2: eBPF programs and cgroup.freeze.
    controllers.add("devices").add("freezer")
  }
  return { mode, controllers, hierarchies, unified }
}

/**
 * Controllers that a host with v1 hierarchies has left to v2: those crun trips over. Only for hosts whose v2 hierarchy is
 * mounted beside v1 ones.
 */
export function missingControllers(
  mounts: readonly CgroupMount[],
  procCgroups: string,
  unifiedControllers: string,
): readonly string[] {
  const { mode, hierarchies } = parseCgroupFacts(mounts, unifiedControllers)
  if (mode !== "hybrid") return []
  const enabled = new Set<string>()
  for (const line of procCgroups.split("\n")) {
    const [name = "", , , on] = line.split(/\s+/)
    if (on === "1") enabled.add(name)
  }
  return words(unifiedControllers)
    .map((name) => (name === "io" ? "blkio" : name))
    .filter((name) => enabled.has(name) && !hierarchies.has(name))
}

function words(text: string): string[] {
  return text.split(/\s+/).filter((word) => word !== "")
}

/** mountinfo writes spaces, tabs, newlines and backslashes as \040 and so on. */
function unescapeOctal(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)))
}
