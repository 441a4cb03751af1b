// What a container engine can leave behind on a host: mounts, processes, network namespaces, interfaces, packet filter
// rules, cgroups. A test run takes one picture before and one after; what is only in the second is a leak.
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"

export type HostState = Readonly<Record<string, readonly string[]>>

/** Programs that live on behalf of a container. */
const WATCHED = new Set(["conmon", "crun", "runc", "netavark", "aardvark-dns", "catatonit", "dhow"])

function lines(text: string): string[] {
  return text.split("\n").filter((line) => line !== "")
}

function entries(directory: string): string[] {
  try {
    return readdirSync(directory)
  } catch {
    return []
  }
}

function mounts(): string[] {
  return lines(readFileSync("/proc/self/mounts", "utf8"))
    .map((line) => line.split(" ").slice(0, 3).join(" "))
    .filter((line) => !/^\S+ \/sys\/fs\/cgroup/.test(line))
}

function processes(): string[] {
  const found: string[] = []
  for (const pid of entries("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      const name = readFileSync(`/proc/${pid}/comm`, "utf8").trim()
      if (!WATCHED.has(name)) continue
      if (/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"))) continue
      found.push(`${pid} ${readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ").trim()}`)
    } catch {
      // It ended while we looked.
    }
  }
  return found
}

function rules(command: string): string[] {
  if (Bun.which(command) === null) return []
  const { stdout } = Bun.spawnSync([command], { stderr: "ignore" })
  return lines(stdout.toString())
    .filter((line) => line.startsWith("-A"))
    .map((line) => `${command}: ${line}`)
}

/** Directories of all hierarchies, at most four levels down: containers' cgroups are not deeper. */
function cgroups(): string[] {
  const found: string[] = []
  const walk = (directory: string, depth: number): void => {
    for (const entry of depth > 0 ? readdirSafely(directory) : []) {
      found.push(join(directory, entry))
      walk(join(directory, entry), depth - 1)
    }
  }
  walk("/sys/fs/cgroup", 4)
  return found
}

function readdirSafely(directory: string): string[] {
  try {
    return readdirSync(directory, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => entry.name)
  } catch {
    return []
  }
}

export function readHostState(): HostState {
  return {
    mounts: mounts(),
    processes: processes(),
    "network namespaces": [...entries("/run/netns"), ...entries("/run/dhow/netns")],
    interfaces: entries("/sys/class/net"),
    "packet filter rules": [...rules("iptables-save"), ...rules("ip6tables-save")],
    cgroups: cgroups(),
  }
}

/** What `after` has and `before` had not, one line each. */
export function leaks(before: HostState, after: HostState): string[] {
  return Object.entries(after).flatMap(([kind, now]) => {
    const known = new Set(before[kind])
    return now.filter((line) => !known.has(line)).map((line) => `${kind}: ${line}`)
  })
}
