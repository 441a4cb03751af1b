// How many bytes of the disk a tree takes: blocks, as du counts them, directories too, a file with several names once for
// all who share `counted`. Another file system that is mounted below is not the tree's.
import type { BigIntStats } from "node:fs"
import { lstat, readdir } from "node:fs/promises"
import { errnoName } from "./errors.ts"

const BLOCK = 512n
const SLASH = Buffer.from("/")

export type Counted = Set<bigint>

/** Files that go while they are counted are not there. */
export async function allocated(path: string | Buffer, counted: Counted): Promise<number> {
  const top = await unlessGone(lstat(path, { bigint: true }))
  if (top === undefined) return 0
  let blocks = take(top, counted)
  const pending = top.isDirectory() ? [Buffer.from(path)] : []
  for (let at = pending.pop(); at !== undefined; at = pending.pop()) {
    const names = (await unlessGone(readdir(at, { encoding: "buffer" }))) ?? []
    const paths = names.map((name) => Buffer.concat([at!, SLASH, name]))
    const stats = await Promise.all(paths.map((one) => unlessGone(lstat(one, { bigint: true }))))
    for (const [index, found] of stats.entries()) {
      if (found === undefined || found.dev !== top.dev) continue
      blocks += take(found, counted)
      if (found.isDirectory()) pending.push(paths[index]!)
    }
  }
  return Number(blocks * BLOCK)
}

function take(found: BigIntStats, counted: Counted): bigint {
  if (found.nlink > 1n && !found.isDirectory()) {
    if (counted.has(found.ino)) return 0n
    counted.add(found.ino)
  }
  return found.blocks
}

async function unlessGone<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer
  } catch (error) {
    if (errnoName(error) === "ENOENT") return undefined
    throw error
  }
}
