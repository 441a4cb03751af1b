// What is at a path of a container: the last component is looked at and not followed, unless the path ends in "/" or "/.".
import { type BigIntStats, lstatSync } from "node:fs"
import { basename, dirname, posix } from "node:path"
import type { PathStat } from "../../wire/container.ts"
import { at, type Root } from "./root.ts"

/** Bits of Go's FileMode above the permissions. */
const GO = {
  directory: 2 ** 31,
  symlink: 2 ** 27,
  device: 2 ** 26,
  fifo: 2 ** 25,
  socket: 2 ** 24,
  setuid: 2 ** 23,
  setgid: 2 ** 22,
  character: 2 ** 21,
  sticky: 2 ** 20,
} as const

/** The path from the root on, without "." and "..", its ending kept where that says that a directory is meant. */
export function absolutePath(path: string): string {
  const clean = posix.normalize(`/${path}`)
  const plain = clean.length > 1 && clean.endsWith("/") ? clean.slice(0, -1) : clean
  if (/(?:^|\/)\.$/.test(path)) return plain === "/" ? "/." : `${plain}/.`
  return path.endsWith("/") && plain !== "/" ? `${plain}/` : plain
}

/** Go's filepath.Base. */
export function baseName(path: string): string {
  if (/^\/+$/.test(path)) return "/"
  return path.endsWith("/.") ? "." : basename(path)
}

/** Directory and name to look at. */
export function splitPath(path: string): { readonly directory: string; readonly name: string } {
  if (path === "/" || path.endsWith("/") || path.endsWith("/.")) return { directory: path, name: "." }
  return { directory: dirname(path), name: basename(path) }
}

export function statPath(root: Root, path: string): PathStat {
  const { directory, name } = splitPath(path)
  using parent = root.directory(directory)
  const stat = lstatSync(at(parent.fd, name), { bigint: true })
  return {
    name: baseName(path),
    size: Number(stat.size),
    mode: goMode(stat),
    mtime: new Date(Number(stat.mtimeMs)).toISOString(),
    linkTarget: stat.isSymbolicLink() ? root.realPath(path) : "",
  }
}

function goMode(stat: BigIntStats): number {
  const mode = Number(stat.mode)
  let bits = mode & 0o777
  if (stat.isDirectory()) bits += GO.directory
  if (stat.isSymbolicLink()) bits += GO.symlink
  if (stat.isBlockDevice() || stat.isCharacterDevice()) bits += GO.device
  if (stat.isCharacterDevice()) bits += GO.character
  if (stat.isFIFO()) bits += GO.fifo
  if (stat.isSocket()) bits += GO.socket
  if (mode & 0o4000) bits += GO.setuid
  if (mode & 0o2000) bits += GO.setgid
  if (mode & 0o1000) bits += GO.sticky
  return bits
}
