// Files of a container as a tar archive whose names begin with the last component of the path that was asked for.
import { decodeName } from "../../lib/tar/names.ts"
import type { TarOutput } from "../../lib/tar/output.ts"
import { Directory } from "../upper/directory.ts"
import { Files } from "../upper/layer.ts"
import type { Root } from "./root.ts"
import { baseName, splitPath } from "./stat.ts"

export function archivePath(root: Root, path: string, out: TarOutput): void {
  const files = new Files(out)
  const base = baseName(path)
  const { directory, name } = splitPath(path)
  using opened = root.directory(directory)
  using parent = Directory.open(`/proc/self/fd/${opened.fd}/.`)
  addTree(files, parent, Buffer.from(name), base === "/" ? "" : base)
  out.end()
}

/** What is gone by the time it is looked at is left out. */
function addTree(files: Files, parent: Directory, name: Buffer, path: string): void {
  const stat = parent.stat(name)
  if (stat === undefined) return
  const found = { in: parent, name, stat }
  if (!stat.isDirectory()) {
    files.add(path, found)
    return
  }
  using directory = parent.child(name)
  if (directory === undefined) return
  files.add(`${path}/`, found)
  for (const one of directory.names()) addTree(files, directory, one, `${path}/${decodeName(one)}`)
}
