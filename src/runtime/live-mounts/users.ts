// Who uses a mount: processes with a file open on it, working in it, or running a program from it. Reads /proc, and says
// nothing of a process that ends meanwhile.
import { readdirSync, readlinkSync } from "node:fs"
import { readIfExists } from "../../lib/files.ts"
import type { MountUser } from "./request.ts"

const MOST = 10

/** `ids` are the mounts', `path` is where their topmost is seen inside. */
export function mountUsers(pids: readonly number[], ids: ReadonlySet<number>, path: string): MountUser[] {
  const found: MountUser[] = []
  for (const pid of pids) {
    const use = useOf(pid, ids, path)
    if (use === undefined) continue
    found.push({ pid, program: read(`/proc/${pid}/comm`).trim(), use })
    if (found.length === MOST) break
  }
  return found
}

function useOf(pid: number, ids: ReadonlySet<number>, path: string): string | undefined {
  const below = (name: string): boolean => name === path || name.startsWith(`${path}/`)
  for (const fd of list(`/proc/${pid}/fd`)) {
    const id = /^mnt_id:\s*(\d+)/m.exec(read(`/proc/${pid}/fdinfo/${fd}`))?.[1]
    if (id !== undefined && ids.has(Number(id))) return `has "${link(`/proc/${pid}/fd/${fd}`)}" open`
  }
  const cwd = link(`/proc/${pid}/cwd`)
  if (below(cwd)) return `works in "${cwd}"`
  const program = link(`/proc/${pid}/exe`)
  if (below(program)) return `runs "${program}"`
  for (const line of read(`/proc/${pid}/maps`).split("\n")) {
    const mapped = /^\S+ \S+ \S+ \S+ \S+ +(\/.*)$/.exec(line)?.[1]
    if (mapped !== undefined && below(mapped)) return `has "${mapped}" in its memory`
  }
  return undefined
}

function list(path: string): string[] {
  return attempt(() => readdirSync(path)) ?? []
}

function link(path: string): string {
  return attempt(() => readlinkSync(path)) ?? ""
}

function read(path: string): string {
  return attempt(() => readIfExists(path)) ?? ""
}

/** Undefined where the process is gone meanwhile. */
function attempt<T>(body: () => T): T | undefined {
  try {
    return body()
  } catch {
    return undefined
  }
}
