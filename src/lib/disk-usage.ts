// How many bytes the files of a tree hold, a file with several names counted once.
import { lstat, readdir } from "node:fs/promises"
import { errnoName } from "./errors.ts"

export async function diskUsage(directory: string): Promise<number> {
  const counted = new Set<bigint>()
  let total = 0
  const pending = [Buffer.from(directory)]
  for (let at = pending.pop(); at !== undefined; at = pending.pop()) {
    // Names as bytes: a container may name its files as it likes.
    for (const name of (await unlessGone(readdir(at, { encoding: "buffer" }))) ?? []) {
      const path = Buffer.concat([at, Buffer.from("/"), name])
      const found = await unlessGone(lstat(path, { bigint: true }))
      if (found?.isDirectory()) pending.push(path)
      if (!found?.isFile() || counted.has(found.ino)) continue
      if (found.nlink > 1n) counted.add(found.ino)
      total += Number(found.size)
    }
  }
  return total
}

/** A running container removes files while they are counted. */
async function unlessGone<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer
  } catch (error) {
    if (errnoName(error) === "ENOENT") return undefined
    throw error
  }
}
