// The most memory that processes and everything they start take while something runs, sampled.
import { readdirSync, readFileSync } from "node:fs"
import { memory } from "../engines/engine.ts"

const EVERY_MS = 25

/** Runs the body and returns its result with the peak of resident bytes, summed over the processes. */
export async function withPeak<T>(roots: () => readonly number[], body: () => Promise<T>): Promise<[T, number]> {
  let peak = 0
  const sample = (): void => {
    peak = Math.max(peak, resident(roots()))
  }
  const timer = setInterval(sample, EVERY_MS)
  try {
    return [await body(), peak]
  } finally {
    clearInterval(timer)
  }
}

function resident(roots: readonly number[]): number {
  let sum = 0
  for (const pid of withDescendants(roots)) {
    try {
      sum += memory(pid, "rss")
    } catch {
      // It ended meanwhile.
    }
  }
  return sum
}

function withDescendants(roots: readonly number[]): Set<number> {
  const children = new Map<number, number[]>()
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue
    const parent = parentOf(name)
    if (parent !== undefined) children.set(parent, [...(children.get(parent) ?? []), Number(name)])
  }
  const found = new Set<number>()
  const take = (pid: number): void => {
    if (found.has(pid)) return
    found.add(pid)
    for (const child of children.get(pid) ?? []) take(child)
  }
  for (const pid of roots) take(pid)
  return found
}

function parentOf(pid: string): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8")
    return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1])
  } catch {
    return undefined
  }
}
