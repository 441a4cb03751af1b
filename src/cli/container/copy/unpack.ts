// Unpacks an archive that a container's files came in. Somebody else wrote it: names stay below the directory, and no
// symbolic link, from the archive or from before, is followed on the way to a file. Owners stay who copies.
import { chmodSync, linkSync, lstatSync, mkdirSync, rmSync, symlinkSync } from "node:fs"
import { open } from "node:fs/promises"
import { join } from "node:path"
import { DhowError } from "../../../lib/errors.ts"
import { setFileTimes, setTimes } from "../../../lib/syscalls/tree.ts"
import { readTar, type TarStreamEntry } from "../../../lib/tar/reader.ts"
import { type Plan, renamed } from "./names.ts"

export async function unpackTree(archive: AsyncIterable<Uint8Array>, plan: Plan): Promise<void> {
  const directories: { readonly path: string; readonly entry: TarStreamEntry }[] = []
  for await (const entry of readTar(archive)) {
    const name = partsOf(renamed(entry.path.replace(/\/$/, ""), plan.rename))
    const path = join(plan.directory, ...name)
    checkWay(plan.directory, name)
    if (entry.type === "directory") {
      makeDirectory(path)
      if (name.length > 0) directories.push({ path, entry })
    } else await place(path, entry, plan)
  }
  // Filling a directory needs its permissions and changes its time.
  for (const { path, entry } of directories.reverse()) {
    chmodSync(path, entry.mode)
    setTimes(path, entry.mtime, entry.mtimeNanoseconds)
  }
}

function partsOf(name: string): string[] {
  const parts = name.split("/").filter((part) => part !== "" && part !== ".")
  if (parts.includes("..")) throw new DhowError("invalid", `The container's archive leads out of itself: "${name}"`)
  return parts
}

/** The directories on the way to a file; those that are missing are made. */
function checkWay(root: string, parts: readonly string[]): void {
  for (let length = 1; length < parts.length; length++) {
    const path = join(root, ...parts.slice(0, length))
    const stat = lstatSync(path, { throwIfNoEntry: false })
    if (stat === undefined) mkdirSync(path)
    else if (!stat.isDirectory())
      throw new DhowError("invalid", `Cannot copy "${parts.join("/")}": "${path}" is in the way and is no directory`)
  }
}

function makeDirectory(path: string): void {
  const stat = lstatSync(path, { throwIfNoEntry: false })
  if (stat === undefined) mkdirSync(path)
  else if (!stat.isDirectory())
    throw new DhowError("invalid", `cannot overwrite non-directory ${JSON.stringify(path)} with a directory`)
}

async function place(path: string, entry: TarStreamEntry, plan: Plan): Promise<void> {
  if (lstatSync(path, { throwIfNoEntry: false })?.isDirectory() === true)
    throw new DhowError("invalid", `cannot overwrite directory ${JSON.stringify(path)} with non-directory`)
  rmSync(path, { force: true })
  if (entry.type === "symlink") {
    symlinkSync(entry.linkPath ?? "", path)
    setTimes(path, entry.mtime, entry.mtimeNanoseconds)
  } else if (entry.type === "hardlink") {
    const first = partsOf(renamed(entry.linkPath ?? "", plan.rename))
    checkWay(plan.directory, first)
    linkSync(join(plan.directory, ...first), path)
  } else if (entry.type === "file") await writeFile(path, entry)
  else throw new DhowError("invalid", `Cannot copy "${entry.path}": it is a ${entry.type.replace("-", " ")}`)
}

async function writeFile(path: string, entry: TarStreamEntry): Promise<void> {
  await using file = await open(path, "wx", 0o600)
  for await (const chunk of entry.content) await file.writeFile(chunk)
  await file.chmod(entry.mode)
  setFileTimes(file.fd, entry.mtime, entry.mtimeNanoseconds)
}
