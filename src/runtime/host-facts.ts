// What the host offers, as far as containers depend on it: plain values, so that specs can be built for any host.

export type CgroupMode = "v1" | "hybrid" | "v2" | "none"

/** Limits that a kernel may lack though it has the controller. */
export type CgroupLimit =
  | "shares"
  | "quota"
  | "realtime"
  | "reservation"
  | "swappiness"
  | "oom-control"
  | "weight-device"
  | "read-bps"
  | "write-bps"
  | "read-iops"
  | "write-iops"

export type CgroupFacts = {
  readonly mode: CgroupMode
  /** Usable controllers: cpu, cpuset, memory, pids, blkio or io, devices, freezer, hugetlb. */
  readonly controllers: ReadonlySet<string>
  /** v1 controller → mount point ("memory" → "/sys/fs/cgroup/memory"); named ones as "name=systemd". */
  readonly hierarchies: ReadonlyMap<string, string>
  /** Mount point of the v2 hierarchy; undefined where there is none. */
  readonly unified: string | undefined
  /** Swap can be limited: memory.memsw on v1, memory.swap.max on v2. */
  readonly swapAccounting: boolean
  /** Block I/O can be weighted (blkio.bfq.weight or blkio.weight; io.bfq.weight or io.weight). */
  readonly blockWeight: boolean
  readonly missing: ReadonlySet<CgroupLimit>
  /** Processors and memory nodes that may be asked for, as "0-3"; empty where the kernel does not say. */
  readonly cpusetCpus: string
  readonly cpusetMems: string
  /** Sizes of huge pages that can be limited: "2MB". */
  readonly hugePageSizes: readonly string[]
}

export type HostFacts = {
  readonly cgroup: CgroupFacts
  /** Every capability the kernel knows, lowest first, with the CAP_ prefix. */
  readonly knownCapabilities: readonly string[]
  /** Those of them the engine has, and can therefore give. */
  readonly capabilities: ReadonlySet<string>
  readonly seccomp: boolean
  readonly apparmor: boolean
  readonly selinux: boolean
  /** Name as in `uname -r`, and its two first numbers. */
  readonly kernel: { readonly release: string; readonly major: number; readonly minor: number }
  /** Architecture as in GOARCH. */
  readonly architecture: string
  readonly cpus: number
  readonly memory: number
  /** The engine's own limits; Infinity for unlimited. By name: "NOFILE". */
  readonly rlimits: ReadonlyMap<string, { readonly soft: number; readonly hard: number }>
  /** The engine's own oom_score_adj: without CAP_SYS_RESOURCE a container's cannot be lower. */
  readonly oomScoreAdj: number
  /** Whether the network sysctls that Docker sets exist: net.ipv4.ping_group_range, net.ipv4.ip_unprivileged_port_start. */
  readonly pingGroupRange: boolean
  readonly unprivilegedPortStart: boolean
  /** AppArmor profile to confine containers with, when one is loaded; undefined for none. */
  readonly apparmorProfile: string | undefined
  /** Per-CPU thermal_throttle directories, masked because they tell of the host's load. */
  readonly thermalPaths: readonly string[]
}
