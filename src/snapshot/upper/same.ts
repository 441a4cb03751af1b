// Whether a file above is the file below it: as `docker diff` asks, which looks at what stat tells, and as a layer must
// ask, which may leave out only what is the same to the last byte.
import { closeSync, readSync } from "node:fs"
import { getXattr, listXattrs } from "../../lib/syscalls/read-tree.ts"
import type { Found } from "./walk.ts"

const S_IFMT = 0o170000n
const CHUNK = 256 * 1024

/** A time without nanoseconds is as good as any of its second: it came out of an archive that keeps no more. */
function sameTime(a: bigint, b: bigint): boolean {
  const second = 1_000_000_000n
  return a === b || (a / second === b / second && (a % second === 0n || b % second === 0n))
}

/** Docker's rule. Directories' times and sizes say nothing. */
export function differs(upper: Found, lower: Found): boolean {
  const [a, b] = [upper.stat, lower.stat]
  if (a.mode !== b.mode || a.uid !== b.uid || a.gid !== b.gid || a.rdev !== b.rdev) return true
  if (!a.isDirectory() && (a.size !== b.size || !sameTime(a.mtimeNs, b.mtimeNs))) return true
  return !sameBytes(capability(upper), capability(lower))
}

function capability({ in: directory, name }: Found): Buffer | undefined {
  return getXattr(directory.at(name), "security.capability")
}

function sameBytes(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
  return a === undefined || b === undefined ? a === b : Buffer.compare(a, b) === 0
}

/** Attributes that belong to the file and travel with it; overlayfs's own and this host's labels do not. */
export function xattrsOf({ in: directory, name }: Found): ReadonlyMap<string, Uint8Array> {
  const path = directory.at(name)
  const found = new Map<string, Uint8Array>()
  for (const key of listXattrs(path)) {
    if (!/^(?:user\.|trusted\.|security\.capability$|system\.posix_acl_)/.test(key)) continue
    if (key.startsWith("trusted.overlay.") || key.startsWith("user.overlay.")) continue
    const value = getXattr(path, key)
    if (value !== undefined) found.set(key, value)
  }
  return found
}

/** Owner, mode and attributes. */
export function sameAttributes(upper: Found, lower: Found): boolean {
  const [a, b] = [upper.stat, lower.stat]
  if (a.mode !== b.mode || a.uid !== b.uid || a.gid !== b.gid) return false
  const [mine, theirs] = [xattrsOf(upper), xattrsOf(lower)]
  return mine.size === theirs.size && [...mine].every(([key, value]) => sameBytes(value, theirs.get(key)))
}

/** True only where nobody could tell the two apart. */
export function isIdentical(upper: Found, lower: Found): boolean {
  const [a, b] = [upper.stat, lower.stat]
  if ((a.mode & S_IFMT) !== (b.mode & S_IFMT) || a.rdev !== b.rdev || a.mtimeNs !== b.mtimeNs) return false
  // That a file has got another name, or has parted from its others, only the names together show.
  if (!a.isDirectory() && (a.nlink > 1n || b.nlink > 1n)) return false
  if (!sameAttributes(upper, lower)) return false
  if (a.isDirectory()) return true
  if (a.isSymbolicLink()) return upper.in.link(upper.name) === lower.in.link(lower.name)
  return a.size === b.size && (!a.isFile() || a.size === 0n || sameContent(upper, lower))
}

function sameContent(upper: Found, lower: Found): boolean {
  const above = upper.in.file(upper.name)
  if (above === undefined) return false
  try {
    const below = lower.in.file(lower.name)
    if (below === undefined) return false
    try {
      return sameBytesIn(above, below)
    } finally {
      closeSync(below)
    }
  } finally {
    closeSync(above)
  }
}

const mine = Buffer.allocUnsafeSlow(CHUNK)
const theirs = Buffer.allocUnsafeSlow(CHUNK)

function sameBytesIn(a: number, b: number): boolean {
  for (let at = 0; ; ) {
    const got = readWhole(a, mine, at)
    const other = readWhole(b, theirs, at)
    if (got !== other || Buffer.compare(mine.subarray(0, got), theirs.subarray(0, got)) !== 0) return false
    if (got < CHUNK) return true
    at += got
  }
}

function readWhole(fd: number, buffer: Buffer, offset: number): number {
  let have = 0
  while (have < buffer.length) {
    const got = readSync(fd, buffer, have, buffer.length - have, offset + have)
    if (got === 0) break
    have += got
  }
  return have
}
