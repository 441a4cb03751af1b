// Work inside another mount namespace. Only this thread goes there: node's asynchronous file calls and every other thread
// stay behind. Inside, /proc is another one, and paths are another's to choose: files are named by descriptors.
import { dlopen } from "bun:ffi"
import { closeSync, openSync } from "node:fs"
import { check, cstring, lastError, libc } from "./libc.ts"
import { CLONE_NEWNS } from "./mount.ts"

const CLONE_FS = 0x200
const TRIES = 100
const AT_REMOVEDIR = 0x200
const MNT_DETACH = 2
const UMOUNT_NOFOLLOW = 8
const O_PATH_DIRECTORY = 0o10200000

const SIGNATURES = {
  mkdirat: { args: ["i32", "ptr", "u32"], returns: "i32" },
  openat: { args: ["i32", "ptr", "i32", "u32"], returns: "i32" },
  unlinkat: { args: ["i32", "ptr", "i32"], returns: "i32" },
  readlinkat: { args: ["i32", "ptr", "ptr", "u64"], returns: "i64" },
  fchdir: { args: ["i32"], returns: "i32" },
} as const

type Calls = ReturnType<typeof dlopen<typeof SIGNATURES>>["symbols"]
let calls: Calls | undefined

/** Once inside, no library is loaded any more. */
function c(): Calls {
  calls ??= dlopen("libc.so.6", SIGNATURES).symbols
  return calls
}

/** Runs `body`, which must be synchronous, in the mount namespace that is open as `namespace`. */
export function inMountNamespace<T>(namespace: number, body: () => T): T {
  c()
  const own = openSync("/proc/thread-self/ns/mnt", "r")
  const root = openSync("/", O_PATH_DIRECTORY)
  try {
    enter(namespace)
    try {
      return body()
    } finally {
      enter(own)
      check(c().fchdir(root), "fchdir")
      check(libc().chroot(cstring(".")), "chroot")
    }
  } finally {
    closeSync(own)
    closeSync(root)
  }
}

/** A thread that shares its root with others is not let in, and one may begin, sharing ours, at any instant. */
function enter(namespace: number): void {
  for (let tried = 1; ; tried++) {
    check(libc().unshare(CLONE_FS), "unshare")
    if (libc().setns(namespace, CLONE_NEWNS) === 0) return
    const error = lastError("setns")
    if (error.code !== "EINVAL" || tried === TRIES) throw error
  }
}

export function openAt(directory: number, name: string, flags: number, mode = 0): number {
  return check(c().openat(directory, cstring(name), flags, mode), "openat", name)
}

export function makeDirectoryAt(directory: number, name: string, mode: number): void {
  check(c().mkdirat(directory, cstring(name), mode), "mkdirat", name)
}

export function removeAt(directory: number, name: string, what: "directory" | "file"): void {
  check(c().unlinkat(directory, cstring(name), what === "directory" ? AT_REMOVEDIR : 0), "unlinkat", name)
}

export function readLinkAt(directory: number, name: string): string {
  const buffer = Buffer.alloc(4096)
  const length = check(c().readlinkat(directory, cstring(name), buffer, BigInt(buffer.length)), "readlinkat", name)
  return buffer.toString("utf8", 0, length)
}

/** Takes what is mounted on `name` of a directory out of sight at once, with all below it; it ends when nobody uses it. */
export function detachAt(directory: number, name: string): void {
  check(c().fchdir(directory), "fchdir")
  check(libc().umount2(cstring(name), MNT_DETACH | UMOUNT_NOFOLLOW), "umount2", name)
}
