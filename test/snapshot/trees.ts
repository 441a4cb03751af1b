// Everything that a file system tells of a tree, to compare two of them.
import { createHash } from "node:crypto"
import { closeSync, lstatSync, openSync, readdirSync, readlinkSync, readSync } from "node:fs"
import { cstring, libc } from "../../src/lib/syscalls/libc.ts"

/** One line for each file, by path. Times of directories are left out where `exceptTimes` says so. */
export function describeTree(root: string, exceptTimes: ReadonlySet<string> = new Set()): Map<string, string> {
  const lines = new Map<string, string>()
  const names = new Map<bigint, string>()
  const open: Buffer[] = [Buffer.alloc(0)]
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    const path = Buffer.concat([Buffer.from(`${root}/`), at])
    const key = at.toString("latin1")
    const stat = lstatSync(path, { bigint: true })
    const first = names.get(stat.ino) ?? key
    names.set(stat.ino, first)
    const own = stat.isDirectory() ? "" : `links=${stat.nlink} size=${stat.size} first=${first}`
    const time = exceptTimes.has(key) ? "" : stat.mtimeNs
    const content = stat.isFile() ? hash(path) : stat.isSymbolicLink() ? readlinkSync(path, "latin1") : ""
    const { mode, uid, gid, rdev } = stat
    lines.set(key, `${mode.toString(8)} ${uid}:${gid} ${rdev} ${time} ${own} ${content} ${xattrs(path)}`)
    if (!stat.isDirectory()) continue
    // In one order, so that the first name of a file is the same one.
    const below = readdirSync(path, { encoding: "buffer" }).sort((a, b) => b.compare(a))
    for (const name of below) open.push(at.length === 0 ? name : Buffer.concat([at, Buffer.from("/"), name]))
  }
  return lines
}

function hash(path: Buffer): string {
  const fd = openSync(path, "r")
  const hasher = createHash("sha256")
  const buffer = Buffer.alloc(1 << 16)
  try {
    for (let got = -1; got !== 0; ) {
      got = readSync(fd, buffer)
      hasher.update(buffer.subarray(0, got))
    }
  } finally {
    closeSync(fd)
  }
  return hasher.digest("hex").slice(0, 16)
}

function xattrs(path: Buffer): string {
  const name = Buffer.concat([path, Buffer.of(0)])
  const list = Buffer.alloc(65_536)
  const length = Number(libc().llistxattr(name, list, BigInt(list.length)))
  const keys = list.toString("latin1", 0, Math.max(0, length)).split("\0").filter(Boolean).sort()
  return keys
    .map((key) => {
      const value = Buffer.alloc(65_536)
      const size = Number(libc().lgetxattr(name, cstring(key), value, BigInt(value.length)))
      return `${key}=${value.toString("hex", 0, Math.max(0, size))}`
    })
    .join(" ")
}
