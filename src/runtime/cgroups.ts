// Control groups of containers, read and tidied directly: where a container's directories are in each hierarchy, who is
// in them, how much memory they took, whether the kernel killed in them.
import { readdirSync, rmdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { errnoName } from "../lib/errors.ts"
import { readIfExists } from "../lib/files.ts"
import type { CgroupFacts } from "./host-facts.ts"

/** Killed processes end within milliseconds, unless the kernel holds them in a call. */
const CLEAR_LIMIT_MS = 3000

/** The directories of a cgroup in every hierarchy of the host, named ones included. */
export function cgroupDirectories(cgroupsPath: string, facts: CgroupFacts): readonly string[] {
  const roots = new Set(facts.hierarchies.values())
  if (facts.unified !== undefined) roots.add(facts.unified)
  return [...roots].map((root) => join(root, cgroupsPath))
}

function directoryFor(controller: string, cgroupsPath: string, facts: CgroupFacts): string | undefined {
  const root = facts.hierarchies.get(controller) ?? facts.unified
  return root === undefined ? undefined : join(root, cgroupsPath)
}

/** Ids of every process in the cgroup and below it; empty where there is none. */
export function cgroupProcesses(cgroupsPath: string, facts: CgroupFacts): number[] {
  const directory = directoryFor("memory", cgroupsPath, facts) ?? directoryFor("pids", cgroupsPath, facts)
  const found: number[] = []
  if (directory !== undefined) collectProcesses(directory, found)
  return found
}

function collectProcesses(directory: string, found: number[]): void {
  const text = readIfExists(join(directory, "cgroup.procs"))
  if (text === undefined) return
  for (const line of text.split("\n")) if (line !== "" && line !== "0") found.push(Number(line))
  for (const child of childrenOf(directory)) collectProcesses(join(directory, child), found)
}

function childrenOf(directory: string): string[] {
  try {
    return readdirSync(directory, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => entry.name)
  } catch (error) {
    if (errnoName(error) === "ENOENT") return []
    throw error
  }
}

/** How many processes of the cgroup the kernel has killed for want of memory; 0 where that is not counted. */
export function oomKills(cgroupsPath: string, facts: CgroupFacts): number {
  const v1 = facts.hierarchies.get("memory")
  const root = v1 ?? facts.unified
  if (root === undefined) return 0
  const text = readIfExists(join(root, cgroupsPath, v1 === undefined ? "memory.events" : "memory.oom_control"))
  return Number(/^oom_kill (\d+)$/m.exec(text ?? "")?.[1] ?? 0)
}

/** Ask before the cgroup is removed. */
export function oomKilled(cgroupsPath: string, facts: CgroupFacts): boolean {
  return oomKills(cgroupsPath, facts) > 0
}

/** Highest use of memory so far, in bytes; undefined where the kernel does not tell. */
export function memoryPeak(cgroupsPath: string, facts: CgroupFacts): number | undefined {
  const v1 = facts.hierarchies.get("memory")
  const root = v1 ?? facts.unified
  if (root === undefined) return undefined
  const text = readIfExists(join(root, cgroupsPath, v1 === undefined ? "memory.peak" : "memory.max_usage_in_bytes"))
  return text === undefined ? undefined : Number(text)
}

/** Lifts the limit on processes. */
export function liftProcessLimit(cgroupsPath: string, facts: CgroupFacts): void {
  const directory = directoryFor("pids", cgroupsPath, facts)
  if (directory !== undefined) writeFileSync(join(directory, "pids.max"), "max")
}

/** Lifts the limit on CPU time, and leaves its period. */
export function liftCpuLimit(cgroupsPath: string, facts: CgroupFacts): void {
  const directory = directoryFor("cpu", cgroupsPath, facts)
  if (directory === undefined) return
  if (facts.hierarchies.has("cpu")) writeFileSync(join(directory, "cpu.cfs_quota_us"), "-1")
  else writeFileSync(join(directory, "cpu.max"), "max")
}

/**
 * Removes the cgroup with what is below it from every hierarchy. Returns whether all of it is gone: a process that has
 * not quite ended keeps a directory busy.
 */
export function removeCgroup(cgroupsPath: string, facts: CgroupFacts): boolean {
  if (!isOwn(cgroupsPath)) return false
  let gone = true
  for (const directory of cgroupDirectories(cgroupsPath, facts)) gone = removeTree(directory) && gone
  return gone
}

/**
 * Ends what is left in the cgroup and removes it. For what a runtime leaves behind: a create that failed half-way, or
 * processes that outlived the first one. Costs a few failing calls when there is nothing.
 */
export async function clearCgroup(cgroupsPath: string, facts: CgroupFacts): Promise<boolean> {
  const deadline = Date.now() + CLEAR_LIMIT_MS
  while (!removeCgroup(cgroupsPath, facts)) {
    if (!isOwn(cgroupsPath) || Date.now() > deadline) return false
    killAll(cgroupsPath, facts)
    await Bun.sleep(5)
  }
  return true
}

function killAll(cgroupsPath: string, facts: CgroupFacts): void {
  for (const pid of cgroupProcesses(cgroupsPath, facts)) {
    try {
      process.kill(pid, "SIGKILL")
    } catch (error) {
      if (errnoName(error) !== "ESRCH") throw error
    }
  }
  // A frozen process takes its signal when it thaws.
  const freezer = facts.hierarchies.get("freezer")
  const [root, file, thawed] =
    freezer === undefined ? [facts.unified, "cgroup.freeze", "0"] : [freezer, "freezer.state", "THAWED"]
  if (root === undefined) return
  try {
    writeFileSync(join(root, cgroupsPath, file), thawed)
  } catch (error) {
    if (errnoName(error) !== "ENOENT") throw error
  }
}

/** Removes the parent of containers' cgroups where it is empty. */
export function removeEmptyCgroup(cgroupsPath: string, facts: CgroupFacts): void {
  if (!isOwn(cgroupsPath)) return
  for (const directory of cgroupDirectories(cgroupsPath, facts)) removeDirectory(directory)
}

/** Never a hierarchy's root, never a way out of it. */
function isOwn(cgroupsPath: string): boolean {
  return /^\/[^/]/.test(cgroupsPath) && !cgroupsPath.split("/").includes("..")
}

function removeTree(directory: string): boolean {
  if (removeDirectory(directory)) return true
  for (const child of childrenOf(directory)) removeTree(join(directory, child))
  return removeDirectory(directory)
}

function removeDirectory(directory: string): boolean {
  try {
    rmdirSync(directory)
    return true
  } catch (error) {
    const code = errnoName(error)
    if (code === "ENOENT") return true
    if (code === "EBUSY" || code === "ENOTEMPTY" || code === "EROFS") return false
    throw error
  }
}
