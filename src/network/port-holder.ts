// Which process listens on a port of the host, for the hint of an error. Reads /proc; only ever called after a bind failed.
import { readdirSync, readlinkSync } from "node:fs"
import { readIfExists } from "../lib/files.ts"

const TCP_LISTEN = "0A"

/** "process 812 (nginx)", or undefined where it cannot be told. */
export function portHolder(protocol: string, port: number): string | undefined {
  const inodes = new Set<string>()
  for (const family of ["", "6"]) {
    const table = readIfExists(`/proc/net/${protocol}${family}`) ?? ""
    for (const inode of socketInodes(table, port, protocol === "tcp")) inodes.add(inode)
  }
  if (inodes.size === 0) return undefined
  for (const pid of readdirSync("/proc")) {
    if (!/^\d+$/.test(pid) || !holdsSocket(pid, inodes)) continue
    const program = readIfExists(`/proc/${pid}/comm`)?.trim()
    return `process ${pid}${program === undefined ? "" : ` (${program})`}`
  }
  return undefined
}

/** Inodes of the sockets on `port` in the text of /proc/net/tcp or udp. */
export function socketInodes(table: string, port: number, listeningOnly: boolean): string[] {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, "0")}`
  const found: string[] = []
  for (const line of table.split("\n").slice(1)) {
    const fields = line.trim().split(/\s+/)
    if (fields[1]?.endsWith(suffix) !== true || (listeningOnly && fields[3] !== TCP_LISTEN)) continue
    if (fields[9] !== undefined && fields[9] !== "0") found.push(fields[9])
  }
  return found
}

function holdsSocket(pid: string, inodes: ReadonlySet<string>): boolean {
  return descriptors(pid).some((fd) => {
    const target = linkTarget(`/proc/${pid}/fd/${fd}`)
    return target.startsWith("socket:[") && inodes.has(target.slice(8, -1))
  })
}

/** None where the process is gone meanwhile, or not ours to look at. */
function descriptors(pid: string): string[] {
  try {
    return readdirSync(`/proc/${pid}/fd`)
  } catch {
    return []
  }
}

/** "" where it was closed meanwhile, as the descriptor that lists our own always is. */
function linkTarget(path: string): string {
  try {
    return readlinkSync(path)
  } catch {
    return ""
  }
}
