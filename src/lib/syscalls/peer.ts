// SO_PEERCRED: which process connected to a unix socket, as it was at that moment.
import { libc } from "./libc.ts"

const SOL_SOCKET = 1
const SO_PEERCRED = 17
const SO_PEERGROUPS = 59
/** The kernel's own limit. */
const MOST_GROUPS = 65_536

export type Credentials = { readonly pid: number; readonly uid: number; readonly gid: number }

/** Undefined for a socket of another kind, or one that is closed. The pid is 0 where it is not visible from here. */
export function peerCredentials(fd: number): Credentials | undefined {
  const ucred = new Int32Array(3)
  const length = new Uint32Array([ucred.byteLength])
  if (fd < 0 || libc().getsockopt(fd, SOL_SOCKET, SO_PEERCRED, ucred, length) !== 0) return undefined
  const [pid = 0, uid = 0, gid = 0] = ucred
  return { pid, uid: uid >>> 0, gid: gid >>> 0 }
}

/** SO_PEERGROUPS: the supplementary groups it had then. */
export function peerGroups(fd: number): readonly number[] {
  const groups = new Uint32Array(MOST_GROUPS)
  const length = new Uint32Array([groups.byteLength])
  if (fd < 0 || libc().getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, length) !== 0) return []
  return [...groups.subarray(0, (length[0] ?? 0) / groups.BYTES_PER_ELEMENT)]
}
