// Linux capabilities as Docker handles them: fourteen by default, CapAdd and CapDrop on top, all for privileged ones.
import { DhowError } from "../lib/errors.ts"
import type { HostFacts } from "./host-facts.ts"

/** In the kernel's order: the index is the capability's number (capabilities(7)). */
export const CAPABILITY_NAMES = [
  "CAP_CHOWN",
  "CAP_DAC_OVERRIDE",
  "CAP_DAC_READ_SEARCH",
  "CAP_FOWNER",
  "CAP_FSETID",
  "CAP_KILL",
  "CAP_SETGID",
  "CAP_SETUID",
  "CAP_SETPCAP",
  "CAP_LINUX_IMMUTABLE",
  "CAP_NET_BIND_SERVICE",
  "CAP_NET_BROADCAST",
  "CAP_NET_ADMIN",
  "CAP_NET_RAW",
  "CAP_IPC_LOCK",
  "CAP_IPC_OWNER",
  "CAP_SYS_MODULE",
  "CAP_SYS_RAWIO",
  "CAP_SYS_CHROOT",
  "CAP_SYS_PTRACE",
  "CAP_SYS_PACCT",
  "CAP_SYS_ADMIN",
  "CAP_SYS_BOOT",
  "CAP_SYS_NICE",
  "CAP_SYS_RESOURCE",
  "CAP_SYS_TIME",
  "CAP_SYS_TTY_CONFIG",
  "CAP_MKNOD",
  "CAP_LEASE",
  "CAP_AUDIT_WRITE",
  "CAP_AUDIT_CONTROL",
  "CAP_SETFCAP",
  "CAP_MAC_OVERRIDE",
  "CAP_MAC_ADMIN",
  "CAP_SYSLOG",
  "CAP_WAKE_ALARM",
  "CAP_BLOCK_SUSPEND",
  "CAP_AUDIT_READ",
  "CAP_PERFMON",
  "CAP_BPF",
  "CAP_CHECKPOINT_RESTORE",
] as const

/** What Docker gives a container that asks for nothing. */
export const DEFAULT_CAPABILITIES: readonly string[] = [
  "CAP_CHOWN",
  "CAP_DAC_OVERRIDE",
  "CAP_FSETID",
  "CAP_FOWNER",
  "CAP_MKNOD",
  "CAP_NET_RAW",
  "CAP_SETGID",
  "CAP_SETUID",
  "CAP_SETFCAP",
  "CAP_SETPCAP",
  "CAP_NET_BIND_SERVICE",
  "CAP_SYS_CHROOT",
  "CAP_KILL",
  "CAP_AUDIT_WRITE",
]

type CapabilityFacts = Pick<HostFacts, "knownCapabilities" | "capabilities">

/** "net_admin" and "CAP_NET_ADMIN" become CAP_NET_ADMIN, "all" becomes ALL. Throws for a name the kernel lacks. */
export function normalizeCapabilities(names: readonly string[], host: CapabilityFacts): string[] {
  return names.map((name) => {
    const upper = name.toUpperCase()
    if (upper === "ALL") return upper
    const full = upper.startsWith("CAP_") ? upper : `CAP_${upper}`
    if (!host.knownCapabilities.includes(full)) throw new DhowError("invalid", `unknown capability: "${full}"`)
    if (!host.capabilities.has(full))
      throw new DhowError(
        "invalid",
        `capability not supported by your kernel or not available in the current environment: "${full}"`,
      )
    return full
  })
}

/** The capabilities of a container. Defaults that the engine itself lacks are left out. */
export function containerCapabilities(
  asked: {
    readonly CapAdd?: readonly string[] | null
    readonly CapDrop?: readonly string[] | null
    readonly Privileged?: boolean
  },
  host: CapabilityFacts,
): readonly string[] {
  const all = (): string[] => host.knownCapabilities.filter((name) => host.capabilities.has(name))
  if (asked.Privileged) return all()
  const defaults = DEFAULT_CAPABILITIES.filter((name) => host.capabilities.has(name))
  if (!asked.CapAdd?.length && !asked.CapDrop?.length) return defaults
  const drop = normalizeCapabilities(asked.CapDrop ?? [], host)
  const add = normalizeCapabilities(asked.CapAdd ?? [], host)
  if (add.includes("ALL")) return all().filter((name) => !drop.includes(name))
  if (drop.includes("ALL")) return [...new Set(add)]
  return [...new Set([...defaults.filter((name) => !drop.includes(name)), ...add])]
}
