// mount(2), umount2(2) and the namespace calls.
import { closeSync, openSync } from "node:fs"
import { check, cstring, lastError, libc } from "./libc.ts"

export const MS = {
  RDONLY: 1,
  NOSUID: 2,
  NODEV: 4,
  NOEXEC: 8,
  REMOUNT: 32,
  BIND: 4096,
  MOVE: 8192,
  REC: 16384,
  UNBINDABLE: 1 << 17,
  PRIVATE: 1 << 18,
  SLAVE: 1 << 19,
  SHARED: 1 << 20,
} as const

export const CLONE_NEWNS = 0x00020000
export const CLONE_NEWNET = 0x40000000
const MNT_DETACH = 2

export type MountOptions = { readonly type?: string; readonly flags?: number; readonly data?: string }

/** mount(2). `data` is limited to a page by the kernel. */
export function mount(source: string, target: string, options: MountOptions = {}): void {
  const from = cstring(source)
  const to = cstring(target)
  const type = options.type === undefined ? null : cstring(options.type)
  const data = options.data === undefined ? null : cstring(options.data)
  check(libc().mount(from, to, type, BigInt(options.flags ?? 0), data), "mount", target)
}

/** Takes a mount away, lazily where something still holds it. Returns false where nothing was mounted. */
export function unmount(target: string): boolean {
  if (libc().umount2(cstring(target), MNT_DETACH) === 0) return true
  const error = lastError("umount2", target)
  if (error.code === "EINVAL" || error.code === "ENOENT") return false
  throw error
}

/** Takes away everything that is mounted there, one over the other. */
export function unmountAll(target: string): void {
  while (unmount(target));
}

/**
 * Creates a network namespace kept alive by a bind mount on the existing file `path`, and runs `inside`, which must be
 * synchronous, with this thread in it. Our own namespace is unchanged afterwards.
 */
export function createNetworkNamespace<T>(path: string, inside: () => T): T {
  const own = openSync("/proc/thread-self/ns/net", "r")
  try {
    check(libc().unshare(CLONE_NEWNET), "unshare")
    try {
      mount("/proc/thread-self/ns/net", path, { flags: MS.BIND })
      return inside()
    } finally {
      check(libc().setns(own, CLONE_NEWNET), "setns")
    }
  } finally {
    closeSync(own)
  }
}

/** Runs `body`, which must be synchronous, with this thread inside the network namespace at `path`. */
export function inNetworkNamespace<T>(path: string, body: () => T): T {
  const own = openSync("/proc/thread-self/ns/net", "r")
  const other = openSync(path, "r")
  try {
    check(libc().setns(other, CLONE_NEWNET), "setns", path)
    try {
      return body()
    } finally {
      check(libc().setns(own, CLONE_NEWNET), "setns")
    }
  } finally {
    closeSync(other)
    closeSync(own)
  }
}
