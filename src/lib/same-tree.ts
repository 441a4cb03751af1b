// Whether two directories hold the same files: names, types, modes, owners, times, links, devices and every byte. Reads
// one chunk at a time, so that a large tree costs time and no memory.
import { type BigIntStats, readlinkSync } from "node:fs"
import { lstat, open, readdir } from "node:fs/promises"
import { errnoName } from "./errors.ts"

const CHUNK = 1 << 20
const ROOT = Buffer.from(".")

/** What differs first, as a sentence about a path below `a`; undefined where nothing does. */
export async function treeDifference(a: string, b: string, signal?: AbortSignal): Promise<string | undefined> {
  const roots = [Buffer.from(`${a}/`), Buffer.from(`${b}/`)] as const
  const pending: Buffer[] = [ROOT]
  for (let path = pending.pop(); path !== undefined; path = pending.pop()) {
    signal?.throwIfAborted()
    const here = Buffer.concat([roots[0], path])
    const there = Buffer.concat([roots[1], path])
    const [found, wanted] = await Promise.all([statOf(here), statOf(there)])
    const shown = path.subarray(2).toString() || "/"
    if (found === undefined) return `"${shown}" is missing`
    if (wanted === undefined) return `"${shown}" is one too many`
    if (found.mode !== wanted.mode || found.uid !== wanted.uid || found.gid !== wanted.gid)
      return `"${shown}" has another type, mode or owner`
    if (found.rdev !== wanted.rdev) return `"${shown}" is another device`
    if (found.isSymbolicLink() && !readlinkSync(here, BYTES).equals(readlinkSync(there, BYTES)))
      return `"${shown}" leads elsewhere`
    if (!found.isDirectory() && found.mtimeNs !== wanted.mtimeNs) return `"${shown}" has another time`
    if (found.isFile() && (found.size !== wanted.size || !(await sameBytes(here, there))))
      return `"${shown}" has other bytes`
    if (!found.isDirectory()) continue
    const names = new Set([...(await namesIn(here)), ...(await namesIn(there))])
    for (const name of names) pending.push(Buffer.concat([path, Buffer.from("/"), Buffer.from(name, "latin1")]))
  }
  return undefined
}

const BYTES = { encoding: "buffer" } as const

/** Names as text that keeps their bytes. */
async function namesIn(directory: Buffer): Promise<string[]> {
  return (await readdir(directory, BYTES)).map((name) => name.toString("latin1"))
}

async function statOf(path: Buffer): Promise<BigIntStats | undefined> {
  try {
    return await lstat(path, { bigint: true })
  } catch (error) {
    if (errnoName(error) === "ENOENT") return undefined
    throw error
  }
}

export async function sameBytes(a: string | Buffer, b: string | Buffer): Promise<boolean> {
  await using left = await open(a, "r")
  await using right = await open(b, "r")
  const buffers = [Buffer.allocUnsafe(CHUNK), Buffer.allocUnsafe(CHUNK)] as const
  for (let at = 0; ; ) {
    const [one, other] = await Promise.all([left.read(buffers[0], 0, CHUNK, at), right.read(buffers[1], 0, CHUNK, at)])
    if (one.bytesRead !== other.bytesRead) return false
    if (one.bytesRead === 0) return true
    if (!buffers[0].subarray(0, one.bytesRead).equals(buffers[1].subarray(0, one.bytesRead))) return false
    at += one.bytesRead
  }
}
