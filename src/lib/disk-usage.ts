// How many bytes the files of a tree hold, a file with several names counted once; not those of file systems mounted in
// it whose server may never answer. A container may name its files as it
// likes, and nest them deeper than a path can say.
import { constants } from "node:fs"
import { type FileHandle, lstat, open, readdir } from "node:fs/promises"
import { errnoName } from "./errors.ts"
import { answersByItself, mountedBelow } from "./mountinfo.ts"

/** Below PATH_MAX by the longest name: what lies deeper is looked at from a directory that is held open. */
const LONG_PATH = 3500
/** Directories held open at once: more than a hundred thousand levels. */
const MAX_HELD = 500

type Count = { total: number; readonly linked: Set<string>; held: number; readonly passedOver: ReadonlySet<string> }

export async function diskUsage(directory: string): Promise<number> {
  const passedOver = new Set(mountedBelow(directory).flatMap(({ path, type }) => (answersByItself(type) ? [] : [path])))
  const count: Count = { total: 0, linked: new Set(), held: 0, passedOver }
  await add(Buffer.from(directory), count)
  return count.total
}

async function add(root: Buffer, count: Count): Promise<void> {
  const pending = [root]
  for (let at = pending.pop(); at !== undefined; at = pending.pop()) {
    if (count.passedOver.size > 0 && count.passedOver.has(at.toString())) continue
    if (at.length > LONG_PATH) {
      await addFrom(at, count)
      continue
    }
    for (const name of (await unlessGone(readdir(at, { encoding: "buffer" }))) ?? []) {
      const path = Buffer.concat([at, Buffer.from("/"), name])
      if (count.passedOver.size > 0 && count.passedOver.has(path.toString())) continue
      const found = await unlessGone(lstat(path, { bigint: true }))
      if (found?.isDirectory()) pending.push(path)
      if (!found?.isFile()) continue
      const file = `${found.dev} ${found.ino}`
      if (count.linked.has(file)) continue
      if (found.nlink > 1n) count.linked.add(file)
      count.total += Number(found.size)
    }
  }
}

async function addFrom(path: Buffer, count: Count): Promise<void> {
  if (count.held >= MAX_HELD) return
  const flags = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW
  const directory: FileHandle | undefined = await unlessGone(open(path, flags))
  if (directory === undefined) return
  count.held++
  try {
    await add(Buffer.from(`/proc/self/fd/${directory.fd}`), count)
  } finally {
    count.held--
    await directory.close()
  }
}

/** A running container removes files while they are counted. */
async function unlessGone<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer
  } catch (error) {
    if (errnoName(error) === "ENOENT" || errnoName(error) === "ENOTDIR") return undefined
    throw error
  }
}
