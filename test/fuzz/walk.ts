// Looks at everything of a tree: names, inodes, links, attributes, and both ends of every file.
import { closeSync, constants, lstatSync, openSync, readdirSync, readlinkSync, readSync } from "node:fs"
import { errnoName } from "../../src/lib/errors.ts"
import { libc } from "../../src/lib/syscalls/libc.ts"

const list = Buffer.alloc(65_536)
const some = Buffer.alloc(4096)

export function walk(root: string): void {
  const open = [Buffer.from(root)]
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    for (const name of readdirSync(at, { encoding: "buffer" })) {
      const path = Buffer.concat([at, Buffer.from("/"), name])
      try {
        look(path, open)
      } catch (error) {
        // What lies deeper than a path can say is there all the same.
        if (errnoName(error) !== "ENAMETOOLONG") throw error
      }
    }
  }
}

function look(path: Buffer, open: Buffer[]): void {
  const stat = lstatSync(path)
  const length = Number(libc().llistxattr(Buffer.concat([path, Buffer.of(0)]), list, BigInt(list.length)))
  if (length < 0 && path.length < 4096) throw new Error(`The attributes of "${path}" cannot be read`)
  if (stat.isDirectory()) open.push(path)
  else if (stat.isSymbolicLink()) readlinkSync(path, "buffer")
  else if (stat.isFile()) {
    const fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW)
    try {
      readSync(fd, some, 0, some.length, 0)
      if (stat.size > some.length) readSync(fd, some, 0, some.length, stat.size - some.length)
    } finally {
      closeSync(fd)
    }
  }
}
