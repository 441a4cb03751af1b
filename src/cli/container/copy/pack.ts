// Files of this host as a tar archive: the first component of the names is what the plan makes of the source's.
import { createReadStream, lstatSync, readdirSync, readlinkSync } from "node:fs"
import { join } from "node:path"
import { type TarInput, writeTar } from "../../../lib/tar/writer.ts"

const NANOSECONDS = 1_000_000_000n

/** `path` is a file or directory, `name` what it is called in the archive. Symbolic links below it stay links. */
export function packTree(path: string, name: string): AsyncGenerator<Uint8Array> {
  return writeTar(entriesOf(path, name, new Map()))
}

function* entriesOf(path: string, name: string, links: Map<string, string>): Generator<TarInput> {
  const stat = lstatSync(path, { bigint: true })
  const seconds = stat.mtimeNs / NANOSECONDS
  const common = {
    path: name,
    mode: Number(stat.mode & 0o7777n),
    uid: Number(stat.uid),
    gid: Number(stat.gid),
    mtime: Number(seconds),
    mtimeNanoseconds: Number(stat.mtimeNs - seconds * NANOSECONDS),
  }
  if (stat.isDirectory()) {
    yield { ...common, type: "directory", path: `${name}/` }
    for (const child of readdirSync(path).sort()) yield* entriesOf(join(path, child), `${name}/${child}`, links)
    return
  }
  const key = `${stat.dev}:${stat.ino}`
  const first = stat.nlink > 1n ? links.get(key) : undefined
  if (first !== undefined) {
    yield { ...common, type: "hardlink", linkPath: first }
    return
  }
  if (stat.nlink > 1n) links.set(key, name)
  if (stat.isSymbolicLink()) yield { ...common, type: "symlink", linkPath: readlinkSync(path) }
  else if (stat.isFIFO()) yield { ...common, type: "fifo" }
  else if (stat.isFile()) {
    const size = Number(stat.size)
    const content = size === 0 ? new Uint8Array(0) : createReadStream(path, { end: size - 1, highWaterMark: 1 << 20 })
    yield { ...common, type: "file", size, content }
  }
}
