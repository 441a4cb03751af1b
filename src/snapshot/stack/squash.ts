// Several layers as one: what the upper layers of a stack make of the lower ones, in the order of names, each file once
// as the topmost layer has it. Whiteouts remain only where the layers below have something to hide.
import { closeSync, openSync } from "node:fs"
import type { TarOutput } from "../../lib/tar/output.ts"
import type { FileNode, Node } from "../erofs/node.ts"
import { deviceNumbers } from "./entry.ts"
import { inOrder, ownXattrs, type Place, Stack } from "./stack.ts"

type Meta = Parameters<TarOutput["entry"]>[0]

/** Squashes the layers from place `from` on (0 is the lowest) into one tar. */
export function squash(tars: readonly string[], from: number, out: TarOutput): void {
  const base = new Stack()
  for (const tar of tars.slice(0, from)) base.push(tar)
  const all = new Stack()
  for (const tar of tars) all.push(tar)
  const squashing = new Squashing(tars, from, out)
  try {
    squashing.write(all.root, base.root)
  } finally {
    squashing.close()
  }
  out.end()
}

class Squashing {
  readonly #out: TarOutput
  readonly #from: number
  readonly #tars: readonly string[]
  readonly #fds = new Map<number, number>()
  /** First name of each file that is written. */
  readonly #written = new Map<Node, string>()
  /** Directories around the current place that are not written yet. */
  readonly #around: { readonly path: string; readonly node: Node; told: boolean }[] = []

  constructor(tars: readonly string[], from: number, out: TarOutput) {
    this.#tars = tars
    this.#from = from
    this.#out = out
  }

  write(root: Place, base: Place): void {
    if (this.#isNew(root)) this.#out.entry(metaOf("./", root.node))
    this.#directory(root, base, "")
  }

  close(): void {
    for (const fd of this.#fds.values()) closeSync(fd)
  }

  #isNew({ layer }: Place): boolean {
    return layer >= this.#from
  }

  #directory(now: Place, base: Place | undefined, path: string): void {
    const below = base?.children ?? new Map<string, Place>()
    const gone = [...below.keys()].filter((name) => !now.children!.has(name)).sort()
    // One mark instead of many, where nothing below shows through.
    const survives = [...now.children!.values()].some((child) => this.#holdsOld(child))
    const opaque = gone.length > 1 && !survives && path !== ""
    if (opaque) this.#whiteout(`${path}/.wh..wh..opq`)
    else for (const name of gone) this.#whiteout(join(path, `.wh.${name}`))
    for (const [name, child] of inOrder(now.children!)) {
      const inside = join(path, name)
      const beneath = opaque ? undefined : below.get(name)
      if (child.children === undefined) {
        if (this.#isNew(child)) this.#file(inside, child)
        continue
      }
      this.#around.push({ path: inside, node: child.node, told: false })
      if (this.#isNew(child)) this.#tellAround()
      this.#directory(child, beneath, inside)
      this.#around.pop()
    }
  }

  /** Whether anything in there comes from the layers below. */
  #holdsOld(place: Place): boolean {
    if (!this.#isNew(place)) return true
    return [...(place.children?.values() ?? [])].some((child) => this.#holdsOld(child))
  }

  #file(path: string, { node, layer }: Place): void {
    this.#tellAround()
    const first = this.#written.get(node)
    if (first !== undefined) {
      this.#out.entry({ path, type: "hardlink", linkPath: first, mode: node.mode })
      return
    }
    this.#written.set(node, path)
    const meta = metaOf(path, node)
    if (node.type === "file") this.#out.stored({ ...meta, size: node.size }, this.#fd(layer), stretchesOf(node))
    else this.#out.entry(meta)
  }

  #whiteout(path: string): void {
    this.#tellAround()
    this.#out.entry({ path, type: "file", mode: 0 })
  }

  #tellAround(): void {
    for (const around of this.#around) {
      if (!around.told) this.#out.entry(metaOf(around.path, around.node))
      around.told = true
    }
  }

  #fd(layer: number): number {
    const fd = this.#fds.get(layer) ?? openSync(this.#tars[layer]!, "r")
    this.#fds.set(layer, fd)
    return fd
  }
}

function join(directory: string, name: string): string {
  return directory === "" ? name : `${directory}/${name}`
}

function stretchesOf({ extents }: FileNode) {
  return extents.map(({ offset, length, tar }) => ({ offset, length, from: tar }))
}

function metaOf(path: string, node: Node): Meta {
  const { type, mode, uid, gid, mtime, mtimeNanoseconds } = node
  const xattrs = ownXattrs(node)
  return {
    ...{ path, type, mode, uid, gid, mtime, mtimeNanoseconds },
    ...(node.type === "symlink" ? { linkPath: node.target } : {}),
    ...("rdev" in node ? { device: deviceNumbers(node.rdev) } : {}),
    ...(xattrs.size === 0 ? {} : { xattrs }),
  }
}
