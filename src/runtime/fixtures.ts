// Hosts and containers as plain values, for the unit tests of this folder.
import { CAPABILITY_NAMES } from "./capabilities.ts"
import type { HostFacts } from "./host-facts.ts"
import type { SpecInput } from "./spec-input.ts"

const V1 = ["cpu", "cpuacct", "cpuset", "memory", "devices", "freezer", "blkio", "pids"]

export function hostFacts(changes: Partial<HostFacts> = {}): HostFacts {
  return {
    cgroup: {
      mode: "v1",
      controllers: new Set(V1),
      hierarchies: new Map(V1.map((name) => [name, `/sys/fs/cgroup/${name}`])),
      unified: undefined,
      swapAccounting: true,
      blockWeight: true,
      missing: new Set(),
      cpusetCpus: "0-3",
      cpusetMems: "0",
      hugePageSizes: ["2MB"],
    },
    knownCapabilities: CAPABILITY_NAMES,
    capabilities: new Set(CAPABILITY_NAMES),
    seccomp: true,
    apparmor: false,
    apparmorProfile: undefined,
    selinux: false,
    kernel: { release: "6.1.0-test", major: 6, minor: 1 },
    architecture: "amd64",
    cpus: 4,
    memory: 8 * 2 ** 30,
    rlimits: new Map([["NOFILE", { soft: 1024, hard: 4096 }]]),
    oomScoreAdj: 0,
    pingGroupRange: true,
    unprivilegedPortStart: true,
    thermalPaths: [],
    ...changes,
  }
}

export function v2Facts(): HostFacts["cgroup"] {
  return {
    mode: "v2",
    controllers: new Set(["cpu", "cpuset", "memory", "io", "pids", "devices", "freezer"]),
    hierarchies: new Map(),
    unified: "/sys/fs/cgroup",
    swapAccounting: true,
    blockWeight: true,
    missing: new Set(["realtime", "swappiness", "oom-control"]),
    cpusetCpus: "0-3",
    cpusetMems: "0",
    hugePageSizes: ["2MB"],
  }
}

/** A host whose engine may not raise limits. */
export function sandboxFacts(): HostFacts {
  return hostFacts({ capabilities: new Set(CAPABILITY_NAMES.filter((name) => name !== "CAP_SYS_RESOURCE")) })
}

export function specInput(changes: Partial<SpecInput> = {}): SpecInput {
  return {
    id: "c1",
    hostname: "box",
    config: { Cmd: ["true"] },
    hostConfig: {},
    rootfs: "/rootfs",
    mounts: [],
    user: { uid: 0, gid: 0, additionalGids: [0], home: "/root" },
    devices: {
      devices: [],
      rules: [{ allow: false, access: "rwm" }],
      weights: [],
      readBps: [],
      writeBps: [],
      readIOps: [],
      writeIOps: [],
      warnings: [],
    },
    network: { path: "/run/netns/n1" },
    pid: "private",
    ipc: "private",
    uts: "private",
    cgroup: "host",
    init: undefined,
    cgroupsPath: "/dhow/c1",
    host: hostFacts(),
    ...changes,
  }
}
