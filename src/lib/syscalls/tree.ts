// The calls that build a tree of files whose names may be any bytes, for a process that does nothing else: paths go
// through one buffer, times through another, and a call costs little more than the kernel's part of it.
import { dlopen, type Pointer, ptr } from "bun:ffi"
import { constants } from "node:fs"
import { chdir } from "node:process"
import { encodeName } from "../tar/names.ts"
import { check, libc } from "./libc.ts"

const SIGNATURES = {
  open: { args: ["ptr", "i32", "u32"], returns: "i32" },
  close: { args: ["i32"], returns: "i32" },
  mkdir: { args: ["ptr", "u32"], returns: "i32" },
  symlink: { args: ["ptr", "ptr"], returns: "i32" },
  link: { args: ["ptr", "ptr"], returns: "i32" },
  mknod: { args: ["ptr", "u32", "u64"], returns: "i32" },
  unlink: { args: ["ptr"], returns: "i32" },
  lchown: { args: ["ptr", "u32", "u32"], returns: "i32" },
  chmod: { args: ["ptr", "u32"], returns: "i32" },
  fchown: { args: ["i32", "u32", "u32"], returns: "i32" },
  fchmod: { args: ["i32", "u32"], returns: "i32" },
  utimensat: { args: ["i32", "ptr", "ptr", "i32"], returns: "i32" },
  futimens: { args: ["i32", "ptr"], returns: "i32" },
  unlinkat: { args: ["i32", "ptr", "i32"], returns: "i32" },
  lsetxattr: { args: ["ptr", "ptr", "ptr", "u64", "i32"], returns: "i32" },
  syncfs: { args: ["i32"], returns: "i32" },
  chroot: { args: ["ptr"], returns: "i32" },
} as const

const AT_FDCWD = -100
const AT_SYMLINK_NOFOLLOW = 0x100
const O_CLOEXEC = 0o2000000
const PATH_MAX = 4096

// Opened now: opening it at the first failure would overwrite the errno of that failure.
libc()
const { symbols: c } = dlopen("libc.so.6", SIGNATURES)
const encoder = new TextEncoder()
const first = Buffer.alloc(PATH_MAX)
const second = Buffer.alloc(PATH_MAX)
const times = new BigInt64Array(4)
const FIRST = ptr(first)
const SECOND = ptr(second)
const TIMES = ptr(times)

export function createFile(path: string, mode: number): number {
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW | O_CLOEXEC
  return check(c.open(inFirst(path), flags, mode), "open", path)
}

export function closeFile(fd: number): void {
  check(c.close(fd), "close")
}

export function makeDirectory(path: string, mode: number): void {
  check(c.mkdir(inFirst(path), mode), "mkdir", path)
}

export function makeSymlink(target: string, path: string): void {
  check(c.symlink(inSecond(target), inFirst(path)), "symlink", path)
}

/** A further name for the file at `existing`, which is not followed where it is a symbolic link. */
export function makeLink(existing: string, path: string): void {
  check(c.link(inSecond(existing), inFirst(path)), "link", path)
}

/** `mode` holds the type: constants.S_IFCHR and so on. */
export function makeNode(path: string, mode: number, device = { major: 0, minor: 0 }): void {
  check(c.mknod(inFirst(path), mode, deviceNumber(device.major, device.minor)), "mknod", path)
}

export function removeFile(path: string): void {
  check(c.unlink(inFirst(path)), "unlink", path)
}

/** Removes `name` in the open directory `fd`, wherever that directory has gone meanwhile. */
export function removeFileAt(fd: number, name: string): void {
  check(c.unlinkat(fd, inFirst(name), 0), "unlinkat", name)
}

/** Not of a symbolic link's target but of the link. */
export function setOwner(path: string, uid: number, gid: number): void {
  check(c.lchown(inFirst(path), uid, gid), "lchown", path)
}

export function setMode(path: string, mode: number): void {
  check(c.chmod(inFirst(path), mode), "chmod", path)
}

export function setFileOwner(fd: number, uid: number, gid: number): void {
  check(c.fchown(fd, uid, gid), "fchown")
}

export function setFileMode(fd: number, mode: number): void {
  check(c.fchmod(fd, mode), "fchmod")
}

/** Both times of the file, not of what a symbolic link points to. */
export function setTimes(path: string, seconds: number, nanoseconds: number): void {
  fillTimes(seconds, nanoseconds)
  check(c.utimensat(AT_FDCWD, inFirst(path), TIMES, AT_SYMLINK_NOFOLLOW), "utimensat", path)
}

export function setFileTimes(fd: number, seconds: number, nanoseconds: number): void {
  fillTimes(seconds, nanoseconds)
  check(c.futimens(fd, TIMES), "futimens")
}

export function setXattr(path: string, name: string, value: Uint8Array): void {
  // The kernel takes no address from an empty buffer.
  const bytes = value.length === 0 ? Buffer.alloc(1) : value
  check(c.lsetxattr(inFirst(path), inSecond(name), bytes, value.length, 0), "lsetxattr", path)
}

/** Writes everything unwritten of the file system that `fd` is on. */
export function syncFilesystem(fd: number): void {
  check(c.syncfs(fd), "syncfs")
}

/** The whole process then sees `path` as its root. No library is loaded after this. */
export function changeRoot(path: string): void {
  check(c.chroot(inFirst(path)), "chroot", path)
  chdir("/")
}

function inFirst(path: string): Pointer {
  fill(first, path)
  return FIRST
}

function inSecond(path: string): Pointer {
  fill(second, path)
  return SECOND
}

function fill(buffer: Buffer, path: string): void {
  const { read, written } = encoder.encodeInto(path, buffer)
  let length = written
  // Only a name of plain ASCII is sure to be written as it is.
  if (written !== path.length || read !== path.length) {
    const bytes = encodeName(path)
    length = bytes.length
    if (length < PATH_MAX) bytes.copy(buffer)
  }
  if (length >= PATH_MAX) throw Object.assign(new Error(`ENAMETOOLONG: '${path}'`), { code: "ENAMETOOLONG" })
  buffer[length] = 0
}

function fillTimes(seconds: number, nanoseconds: number): void {
  times[0] = times[2] = BigInt(seconds)
  times[1] = times[3] = BigInt(nanoseconds)
}

/** glibc's makedev(3). */
function deviceNumber(major: number, minor: number): bigint {
  const [high, low] = [BigInt(major), BigInt(minor)]
  return ((high & 0xfffff000n) << 32n) | ((high & 0xfffn) << 8n) | ((low & 0xffffff00n) << 12n) | (low & 0xffn)
}
