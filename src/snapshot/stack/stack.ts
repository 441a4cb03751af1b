// A stack of layers as the tree that a container sees, put together from the layers' tars: each place knows the layer that
// it comes from and where in that layer's tar its content lies. What a layer does to those below it is told on the way.
import { closeSync, openSync } from "node:fs"
import type { DirectoryNode, Node } from "../erofs/node.ts"
import { isWhiteout } from "../erofs/node.ts"
import { readTree } from "../erofs/read-tree.ts"
import type { LayerTree } from "../erofs/tree.ts"

const OPAQUE = "trusted.overlay.opaque"

/** `layer` counts from 0, the lowest. */
export type Place = {
  readonly node: Node
  readonly layer: number
  /** Of a directory. */
  readonly children?: Map<string, Place>
}

export type Step =
  | { readonly kind: "added"; readonly path: string; readonly now: Place }
  | { readonly kind: "modified"; readonly path: string; readonly now: Place; readonly before: Place }
  | { readonly kind: "removed"; readonly path: string; readonly layer: number; readonly before: Place }

export type OnStep = (step: Step) => void

export class Stack {
  root: Place = { node: emptyRoot(), layer: -1, children: new Map() }
  #layers = 0
  readonly #tell: OnStep

  /** `tell` hears of every place that a layer adds, changes or takes away; of a directory before what is in it. */
  constructor(tell: OnStep = () => undefined) {
    this.#tell = tell
  }

  get layers(): number {
    return this.#layers
  }

  /** Puts the layer whose tar lies at `path` on top. */
  push(path: string): void {
    const fd = openSync(path, "r")
    try {
      this.#apply(readTree(fd))
    } finally {
      closeSync(fd)
    }
  }

  #apply(tree: LayerTree): void {
    const layer = this.#layers++
    const children = this.root.children!
    if (tree.rooted) this.root = { node: tree.root, layer, children }
    this.#merge(children, tree.root, { path: "", layer })
  }

  #merge(into: Map<string, Place>, directory: DirectoryNode, at: At): void {
    for (const [name, node] of directory.children) {
      // Links have all been followed when a tree is finished.
      if (node.type === "pending") continue
      const path = at.path === "" ? name : `${at.path}/${name}`
      const before = into.get(name)
      if (isWhiteout(node)) {
        if (before !== undefined) this.#remove(into, name, { path, layer: at.layer })
      } else if (node.type === "directory") this.#mergeDirectory(into, name, { node, before, path, layer: at.layer })
      else {
        const now = { node, layer: at.layer }
        into.set(name, now)
        if (before === undefined) this.#tell({ kind: "added", path, now })
        else {
          this.#tell({ kind: "modified", path, now, before })
          this.#tellGone(before, { path, layer: at.layer })
        }
      }
    }
  }

  #mergeDirectory(
    into: Map<string, Place>,
    name: string,
    { node, before, path, layer }: At & { readonly node: DirectoryNode; readonly before: Place | undefined },
  ): void {
    const children = before?.children ?? new Map<string, Place>()
    const now: Place = { node, layer, children }
    into.set(name, now)
    if (before === undefined) this.#tell({ kind: "added", path, now })
    else if (!sameAttributes(before.node, node) || before.children === undefined)
      this.#tell({ kind: "modified", path, now, before })
    if (node.xattrs?.has(OPAQUE) === true)
      for (const hidden of [...children.keys()])
        if (!shows(node, hidden)) this.#remove(children, hidden, { path: `${path}/${hidden}`, layer })
        else this.#hide(children, hidden, { path: `${path}/${hidden}`, layer }, node)
    this.#merge(children, node, { path, layer })
  }

  /** Below an opaque directory a directory of the same name begins anew. */
  #hide(children: Map<string, Place>, name: string, { path, layer }: At, above: DirectoryNode): void {
    const [old, fresh] = [children.get(name)!, above.children.get(name)!]
    if (old.children === undefined || fresh.type !== "directory") return
    for (const inner of [...old.children.keys()]) {
      const at = { path: `${path}/${inner}`, layer }
      if (shows(fresh, inner)) this.#hide(old.children, inner, at, fresh)
      else this.#remove(old.children, inner, at)
    }
  }

  #remove(from: Map<string, Place>, name: string, { path, layer }: At): void {
    const before = from.get(name)!
    from.delete(name)
    this.#tell({ kind: "removed", path, layer, before })
    this.#tellGone(before, { path, layer })
  }

  /** What was in a directory that is one no more. */
  #tellGone({ children }: Place, { path, layer }: At): void {
    for (const [name, before] of children ?? []) {
      const at = { path: `${path}/${name}`, layer }
      this.#tell({ kind: "removed", ...at, before })
      this.#tellGone(before, at)
    }
  }
}

type At = { readonly path: string; readonly layer: number }

/** Whether the layer itself has something there. */
function shows(directory: DirectoryNode, name: string): boolean {
  const child = directory.children.get(name)
  return child !== undefined && child.type !== "pending" && !isWhiteout(child)
}

/** Type, owner and mode; for what else a directory says nobody would call it changed. */
export function sameAttributes(a: Node, b: Node): boolean {
  return a.type === b.type && a.mode === b.mode && a.uid === b.uid && a.gid === b.gid
}

/** Attributes of the file itself, without overlayfs's. */
export function ownXattrs({ xattrs }: Node): ReadonlyMap<string, Uint8Array> {
  return new Map([...(xattrs ?? [])].filter(([name]) => !name.startsWith("trusted.overlay.")))
}

/** Places in a directory, in the order of their names' bytes. */
export function inOrder(children: ReadonlyMap<string, Place>): readonly (readonly [string, Place])[] {
  return [...children].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
}

function emptyRoot(): DirectoryNode {
  const time = { mtime: 0, mtimeNanoseconds: 0 }
  return { type: "directory", mode: 0o755, uid: 0, gid: 0, ...time, parent: undefined, depth: 0, children: new Map() }
}
