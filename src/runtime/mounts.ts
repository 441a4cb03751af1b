// The mounts of a container: Docker's defaults (/proc, /dev, /sys, ...), then what the user asked for, parents before
// children. A mount of the user's replaces a default one at the same place.
import { DhowError } from "../lib/errors.ts"
import type { RuntimeMount } from "../oci/runtime-spec.ts"
import type { HostConfig, Mount } from "../wire/container.ts"
import type { SpecInput } from "./spec-input.ts"

const DEFAULT_SHM_BYTES = 64 * 1024 * 1024
/** In /dev, which is a tmpfs, so that no trace stays in the container's file system. */
const INIT_PATH = "/dev/init"
/** Where the user mounts a /dev of his own. */
const INIT_PATH_OUTSIDE_DEV = "/sbin/docker-init"

export type ContainerMounts = {
  readonly mounts: readonly RuntimeMount[]
  /** Where the init program is seen inside, when there is one. */
  readonly initPath: string | undefined
}

export function containerMounts(input: SpecInput, writableCgroups: boolean): ContainerMounts {
  const { hostConfig, init } = input
  const asked = [...input.mounts]
  for (const [destination, options] of Object.entries(hostConfig.Tmpfs ?? {}))
    asked.push(tmpfsMount(destination, options))
  if (input.ipc === "host" && !asked.some((mount) => mount.destination === "/dev/shm"))
    asked.push({ destination: "/dev/shm", type: "bind", source: "/dev/shm", options: ["rbind", "rprivate"] })
  asked.sort((a, b) => depth(a.destination) - depth(b.destination))

  const taken = new Set(asked.map((mount) => mount.destination))
  const ownDev = taken.has("/dev")
  const mounts: RuntimeMount[] = []
  for (const mount of defaultMounts(hostConfig, writableCgroups)) {
    if (taken.has(mount.destination) || (ownDev && mount.destination.startsWith("/dev/"))) continue
    if (mount.destination === "/dev/shm" && hostConfig.IpcMode === "none") continue
    mounts.push(mount)
  }
  mounts.push(...asked)
  if (init === undefined) return { mounts, initPath: undefined }
  const initPath = ownDev ? INIT_PATH_OUTSIDE_DEV : INIT_PATH
  mounts.push({ destination: initPath, type: "bind", source: init, options: ["bind", "ro"] })
  return { mounts, initPath }
}

function defaultMounts(hostConfig: HostConfig, writableCgroups: boolean): readonly RuntimeMount[] {
  const shmSize = hostConfig.ShmSize || DEFAULT_SHM_BYTES
  const readonly = (flag: boolean): string[] => (flag ? ["ro"] : [])
  return [
    { destination: "/proc", type: "proc", source: "proc", options: ["nosuid", "noexec", "nodev"] },
    {
      destination: "/dev",
      type: "tmpfs",
      source: "tmpfs",
      options: ["nosuid", "strictatime", "mode=755", "size=65536k"],
    },
    {
      destination: "/dev/pts",
      type: "devpts",
      source: "devpts",
      options: ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"],
    },
    {
      destination: "/sys",
      type: "sysfs",
      source: "sysfs",
      options: ["nosuid", "noexec", "nodev", ...readonly(!hostConfig.Privileged)],
    },
    {
      destination: "/sys/fs/cgroup",
      type: "cgroup",
      source: "cgroup",
      options: [...readonly(!writableCgroups), "nosuid", "noexec", "nodev"],
    },
    { destination: "/dev/mqueue", type: "mqueue", source: "mqueue", options: ["nosuid", "noexec", "nodev"] },
    {
      destination: "/dev/shm",
      type: "tmpfs",
      source: "shm",
      options: ["nosuid", "noexec", "nodev", "mode=1777", `size=${shmSize}`],
    },
  ]
}

const PROPAGATION = new Set([
  "private",
  "rprivate",
  "shared",
  "rshared",
  "slave",
  "rslave",
  "unbindable",
  "runbindable",
])
/** Flag → the one it contradicts or repeats; both have the same key, and the later one wins. */
const FLAG_KEYS: Readonly<Record<string, string>> = {
  ro: "ro",
  rw: "ro",
  suid: "suid",
  nosuid: "suid",
  dev: "dev",
  nodev: "dev",
  exec: "exec",
  noexec: "exec",
  sync: "sync",
  async: "sync",
  dirsync: "dirsync",
  remount: "remount",
  mand: "mand",
  nomand: "mand",
  atime: "atime",
  noatime: "atime",
  diratime: "diratime",
  nodiratime: "diratime",
  relatime: "relatime",
  norelatime: "relatime",
  strictatime: "strictatime",
  nostrictatime: "strictatime",
}
const VALUES = new Set(["mode", "uid", "gid", "size", "nr_inodes", "nr_blocks", "mpol"])

/** A tmpfs with the options of `--tmpfs DESTINATION:OPTIONS`; of contradicting ones the last counts. */
export function tmpfsMount(destination: string, options: string): RuntimeMount {
  const words = ["noexec", "nosuid", "nodev", "rprivate", ...(options === "" ? [] : options.split(","))]
  const seen = new Set<string>()
  const merged: string[] = []
  for (const word of words.reverse()) {
    if (word === "defaults") continue
    const [name = "", ...rest] = word.split("=")
    const value = rest.length === 0 ? undefined : rest.join("=")
    const key = PROPAGATION.has(word) ? "propagation" : (FLAG_KEYS[word] ?? (value === undefined ? undefined : name))
    if (key === undefined || (key === name && value !== undefined && !VALUES.has(name)))
      throw new DhowError("invalid", `invalid tmpfs option [${optionWords(name, value)}]`, {
        hint: "Known are size, mode, uid, gid, nr_inodes and flags such as ro, exec, noatime",
      })
    if (seen.has(key)) continue
    seen.add(key)
    merged.unshift(word)
  }
  return { destination, type: "tmpfs", source: "tmpfs", options: merged }
}

/** As Go prints a list of strings. */
function optionWords(name: string, value: string | undefined): string {
  return (value === undefined ? [name] : [name, value]).map((word) => JSON.stringify(word)).join(" ")
}

/** A tmpfs of `--mount type=tmpfs`. */
export function tmpfsOfMount(mount: Mount): RuntimeMount {
  const options = mount.TmpfsOptions
  const words: string[] = []
  if (mount.ReadOnly) words.push("ro")
  if (options?.Mode) words.push(`mode=${options.Mode.toString(8)}`)
  if (options?.SizeBytes) words.push(`size=${options.SizeBytes}`)
  for (const pair of options?.Options ?? []) words.push(pair.join("="))
  return tmpfsMount(mount.Target, words.join(","))
}

function depth(path: string): number {
  return path.split("/").filter((part) => part !== "").length
}
