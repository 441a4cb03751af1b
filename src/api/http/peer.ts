// Who is at the other end of a client's socket, in words: asked for where somebody ends a container, not before.

import { readlinkSync } from "node:fs"
import { basename } from "node:path"
import type { Caller } from "../../engine/contract.ts"
import { readIfExists } from "../../lib/files.ts"
import { peerCredentials, peerGroups } from "../../lib/syscalls/peer.ts"
import type { Asker } from "../../wire/exit.ts"

/** loginuid of a process that nobody logged in for. */
const NOBODY = 4_294_967_295

/** The same in numbers: whose files its are. */
export function callerOf(fd: number): Caller | undefined {
  const credentials = peerCredentials(fd)
  return credentials === undefined ? undefined : { uid: credentials.uid, gid: credentials.gid, groups: peerGroups(fd) }
}

export function describePeer(fd: number): Asker | undefined {
  const credentials = peerCredentials(fd)
  if (credentials === undefined) return undefined
  const { pid, uid } = credentials
  const login = pid > 0 ? Number(proc(pid, "loginuid") ?? NOBODY) : NOBODY
  const user = userName(uid)
  const program = pid > 0 ? programOf(pid) : undefined
  const container = pid > 0 ? /[0-9a-f]{64}/.exec(proc(pid, "cgroup") ?? "")?.[0] : undefined
  const loginUser = login === NOBODY || login === uid ? undefined : (userName(login) ?? String(login))
  return {
    Kind: "client",
    Pid: pid,
    Uid: uid,
    ...(user === undefined ? {} : { User: user }),
    ...(program === undefined ? {} : { Program: program }),
    ...(loginUser === undefined ? {} : { LoginUser: loginUser }),
    ...(container === undefined ? {} : { Container: container }),
  }
}

function programOf(pid: number): string | undefined {
  try {
    return basename(readlinkSync(`/proc/${pid}/exe`)).replace(/ \(deleted\)$/, "")
  } catch {
    // Gone, or a process that we may not look at: its short name may still be had.
    return proc(pid, "comm")?.trim() || undefined
  }
}

function proc(pid: number, file: string): string | undefined {
  try {
    return readIfExists(`/proc/${pid}/${file}`)
  } catch {
    return undefined
  }
}

function userName(uid: number): string | undefined {
  for (const line of (readIfExists("/etc/passwd") ?? "").split("\n")) {
    const [name, , number] = line.split(":")
    if (name !== undefined && number === String(uid)) return name
  }
  return undefined
}
