// What each layer of a stack did: files added, changed and removed, and the bytes that are stored though no container sees
// them, since a later layer overwrote or removed them. A file with several names is wasted when its last name is gone.
import type { FilesRequest, LayerFile, LayerFiles } from "../../wire/image-contents.ts"
import type { Node } from "../erofs/node.ts"
import { entryOf, storedSize } from "./entry.ts"
import { Stack } from "./stack.ts"

/** Rows in the order that was asked for, then a summary for each layer, lowest first. */
export function filesOf(
  tars: readonly string[],
  request: FilesRequest,
): { readonly files: readonly LayerFile[]; readonly layers: readonly LayerFiles[] } {
  const files: LayerFile[] = []
  const counts = tars.map((_, at) => ({ layer: at + 1, added: 0, modified: 0, removed: 0, size: 0, wasted: 0 }))
  const names = new Map<Node, number>()
  const wanted = filterOf(request)

  const stack = new Stack((step) => {
    const layer = step.kind === "removed" ? step.layer : step.now.layer
    const count = counts[layer]!
    count[step.kind]++
    let wasted = 0
    if (step.kind !== "added") {
      const { before } = step
      const left = (names.get(before.node) ?? 1) - 1
      names.set(before.node, left)
      if (left === 0 && before.node.type === "file") {
        wasted = storedSize(before.node)
        counts[before.layer]!.wasted += wasted
      }
    }
    if (step.kind !== "removed" && step.now.node.type !== "directory") {
      const known = names.get(step.now.node) ?? 0
      names.set(step.now.node, known + 1)
      if (known === 0) count.size += storedSize(step.now.node)
    }
    const shown = step.kind === "removed" ? step.before.node : step.now.node
    const row = { path: step.path, change: step.kind, layer: layer + 1, wasted }
    if (wanted(row)) files.push({ ...row, ...entryOf(shown) })
  })
  for (const tar of tars) stack.push(tar)
  files.sort(request.sort === "path" ? byPath : request.wasted === true ? byWaste : bySize)
  return { files, layers: counts }
}

type Row = Pick<LayerFile, "path" | "layer" | "wasted">

function filterOf({ path, layer, wasted }: FilesRequest): (row: Row) => boolean {
  return (row) =>
    (layer === undefined || row.layer === layer) &&
    (wasted !== true || row.wasted > 0) &&
    (path === undefined || path === "" || row.path === path || row.path.startsWith(`${path}/`))
}

function byPath(a: LayerFile, b: LayerFile): number {
  return a.path < b.path ? -1 : a.path > b.path ? 1 : a.layer - b.layer
}

function bySize(a: LayerFile, b: LayerFile): number {
  return b.size - a.size || byPath(a, b)
}

function byWaste(a: LayerFile, b: LayerFile): number {
  return b.wasted - a.wasted || byPath(a, b)
}
