// What a container engine can leave behind on a host. A test run takes one picture before and one after; what is only in
// the second is a leak. Mounts and processes are the tests' own when they name the tests' directory; interfaces, packet
// filter rules and cgroups name nobody, so that all of them count: another engine at work meanwhile looks like a leak.
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"

export type HostState = Readonly<Record<string, readonly string[]>>

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

function mounts(directory: string): string[] {
  return lines(readFileSync("/proc/self/mounts", "utf8"))
    .map((line) => line.split(" ").slice(0, 3).join(" "))
    .filter((line) => line.includes(directory))
}

function processes(directory: string): string[] {
  const found: string[] = []
  for (const pid of entries("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      const commandLine = readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ").trim()
      if (Number(pid) !== process.pid && commandLine.includes(directory)) found.push(`${pid} ${commandLine}`)
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

export function readHostState(directory: string): HostState {
  return {
    mounts: mounts(directory),
    processes: processes(directory),
    files: entries(directory).map((name) => join(directory, name)),
    "network namespaces": entries("/run/netns"),
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
