// The binding to the C library: the few calls that neither Bun nor node:fs offers. Opened at first use, so that the CLI
// pays nothing. Everything here is synchronous: errno is read straight after the call, before anything else can run.
import { dlopen, ptr, read } from "bun:ffi"
import { constants } from "node:os"

const SIGNATURES = {
  __errno_location: { args: [], returns: "ptr" },
  mount: { args: ["ptr", "ptr", "ptr", "u64", "ptr"], returns: "i32" },
  umount2: { args: ["ptr", "i32"], returns: "i32" },
  unshare: { args: ["i32"], returns: "i32" },
  setns: { args: ["i32", "i32"], returns: "i32" },
  chroot: { args: ["ptr"], returns: "i32" },
  socket: { args: ["i32", "i32", "i32"], returns: "i32" },
  connect: { args: ["i32", "ptr", "u32"], returns: "i32" },
  bind: { args: ["i32", "ptr", "u32"], returns: "i32" },
  listen: { args: ["i32", "i32"], returns: "i32" },
  send: { args: ["i32", "ptr", "u64", "i32"], returns: "i64" },
  recv: { args: ["i32", "ptr", "u64", "i32"], returns: "i64" },
  setsockopt: { args: ["i32", "i32", "i32", "ptr", "u32"], returns: "i32" },
  getsockopt: { args: ["i32", "i32", "i32", "ptr", "ptr"], returns: "i32" },
  shutdown: { args: ["i32", "i32"], returns: "i32" },
  ioctl: { args: ["i32", "u64", "ptr"], returns: "i32" },
  mknod: { args: ["ptr", "u32", "u64"], returns: "i32" },
  mkfifo: { args: ["ptr", "u32"], returns: "i32" },
  lsetxattr: { args: ["ptr", "ptr", "ptr", "u64", "i32"], returns: "i32" },
  lgetxattr: { args: ["ptr", "ptr", "ptr", "u64"], returns: "i64" },
  llistxattr: { args: ["ptr", "ptr", "u64"], returns: "i64" },
  utimensat: { args: ["i32", "ptr", "ptr", "i32"], returns: "i32" },
  madvise: { args: ["u64", "u64", "i32"], returns: "i32" },
  flock: { args: ["i32", "i32"], returns: "i32" },
  prctl: { args: ["i32", "u64", "u64", "u64", "u64"], returns: "i32" },
  syscall: { args: ["i64", "i64", "i64", "i64", "i64", "i64", "i64"], returns: "i64" },
} as const

type Library = ReturnType<typeof dlopen<typeof SIGNATURES>>
let library: Library | undefined

export function libc(): Library["symbols"] {
  library ??= dlopen("libc.so.6", SIGNATURES)
  return library.symbols
}

const ERRNO_NAMES = new Map(Object.entries(constants.errno).map(([name, number]) => [number, name]))

/** The error of the call that has just returned -1, shaped like node's system errors. */
export function lastError(syscall: string, path?: string): NodeJS.ErrnoException {
  const errno = read.i32(libc().__errno_location()!, 0)
  const code = ERRNO_NAMES.get(errno) ?? `errno ${errno}`
  const error: NodeJS.ErrnoException = new Error(`${code}: ${syscall}${path === undefined ? "" : ` '${path}'`}`)
  return Object.assign(error, { code, errno: -errno, syscall, ...(path === undefined ? {} : { path }) })
}

/** A NUL-terminated copy; the caller keeps it alive across the call. */
export function cstring(text: string): Buffer {
  if (text.includes("\0")) throw new TypeError("A path or option with a NUL byte cannot be given to the kernel")
  return Buffer.from(`${text}\0`)
}

/** Throws the current errno when a call reports failure. */
export function check(result: number | bigint, syscall: string, path?: string): number {
  const value = Number(result)
  if (value < 0) throw lastError(syscall, path)
  return value
}

export function address(buffer: Uint8Array): bigint {
  return BigInt(ptr(buffer))
}
