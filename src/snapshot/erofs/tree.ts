// The tree that a layer's entries make, put together in memory: every path leads somewhere in the tree, whatever names
// and symbolic links say. The rules are those of unpacking into an empty root directory, whiteouts included.
import { DhowError } from "../../lib/errors.ts"
import type { TarEntry } from "../../lib/tar/entry.ts"
import { encodeName } from "../../lib/tar/names.ts"
import { placeOf, whiteoutOf } from "../place.ts"
import { MAX_NAME } from "./format.ts"
import { Limits } from "./limits.ts"
import { type Child, type DirectoryNode, isWhiteout, type Node, type PendingLink, whiteout } from "./node.ts"
import { deviceNumber, extentsOf, mergeXattrs, ownerOf } from "./values.ts"

const MAX_SYMLINKS = 40
const MAX_PATH = 4095
const MAX_DEPTH = 4096
const OPAQUE = "trusted.overlay.opaque"

export class LayerTree {
  readonly root: DirectoryNode = makeDirectory(undefined, { mtime: 0, mtimeNanoseconds: 0 })
  readonly #limits = new Limits()
  /** Directories by the path an entry spells; emptied when something is taken out of the tree. */
  readonly #known = new Map<string, DirectoryNode>()
  readonly #pending: { readonly parent: DirectoryNode; readonly name: string; readonly link: PendingLink }[] = []
  /** Sum of the files' lengths, as they came. */
  size = 0
  /** Number of entries. */
  files = 0
  /** Whether the layer says what its root directory is like. */
  rooted = false

  /** `content` is where the entry's stored bytes begin in the tar. */
  add(entry: TarEntry, content: number): void {
    const { path, parent, name } = placeOf(entry.path)
    const hiding = whiteoutOf(name)
    if (hiding?.kind === "ignored") return
    if (path.length > MAX_PATH || encodeName(path).length > MAX_PATH)
      throw new DhowError("invalid", `Its path is longer than ${MAX_PATH} bytes`)
    this.#limits.count(entry)
    const directory = this.#directory(parent, entry)
    this.files++
    if (hiding?.kind === "opaque") setXattr(directory, OPAQUE, Buffer.from("y"))
    else if (hiding !== undefined) this.#whiteOut(directory, hiding.name)
    else if (entry.type === "directory") this.#addDirectory(directory, path === "." ? undefined : name, entry)
    else if (path === ".") throw new DhowError("invalid", "Its root is not a directory")
    else this.#put(directory, name, this.#node(entry, content))
    if (entry.type === "file" && hiding === undefined) this.size += entry.size
  }

  /** Gives hard links that came before their target what they stand for. */
  finish(): void {
    for (const { parent, name, link } of this.#pending) {
      if (parent.children.get(name) !== link) continue
      parent.children.set(name, this.#follow(link))
    }
  }

  #follow(first: PendingLink): Node {
    let link = first
    for (let hops = 0; hops <= MAX_SYMLINKS; hops++) {
      const found = this.#linkTarget(link.target)
      if (found === undefined) break
      if (found.type !== "pending") return found
      link = found
    }
    throw new DhowError("invalid", `A hard link leads to "${first.target}", which the archive does not have`)
  }

  #linkTarget(target: string): Exclude<Child, DirectoryNode> | undefined {
    const { parent, name } = placeOf(target)
    const found = this.#walk(parent, undefined)?.children.get(name)
    if (found?.type === "directory") throw new DhowError("invalid", `Its target "${target}" is a directory`)
    return found
  }

  #node(entry: TarEntry, content: number): Child {
    const attributes = { ...ownerOf(entry), mtime: entry.mtime, mtimeNanoseconds: entry.mtimeNanoseconds }
    const xattrs = mergeXattrs(undefined, entry)
    const common = xattrs === undefined ? attributes : { ...attributes, xattrs }
    switch (entry.type) {
      case "file":
        return { ...common, type: "file", size: entry.size, extents: extentsOf(entry, content) }
      case "symlink": {
        const target = entry.linkPath ?? ""
        const { length } = encodeName(target)
        if (length === 0 || length > MAX_PATH) throw new DhowError("invalid", `Its target has ${length} bytes`)
        return { ...common, mode: 0o777, type: "symlink", target }
      }
      case "character-device":
      case "block-device":
        return { ...common, type: entry.type, rdev: deviceNumber(entry) }
      case "fifo":
        return { ...common, type: "fifo" }
      case "hardlink": {
        const target = entry.linkPath ?? ""
        return this.#linkTarget(target) ?? { type: "pending", target }
      }
      case "directory":
        throw new TypeError("A directory is made where it lies")
      default:
        return entry.type satisfies never
    }
  }

  #put(parent: DirectoryNode, name: string, node: Child): void {
    checkName(name)
    const before = parent.children.get(name)
    if (before?.type === "directory" || before?.type === "symlink") this.#known.clear()
    parent.children.set(name, node)
    if (node.type === "pending") this.#pending.push({ parent, name, link: node })
  }

  #addDirectory(parent: DirectoryNode, name: string | undefined, entry: TarEntry): void {
    const directory = name === undefined ? this.root : this.#child(parent, name, entry)
    if (name === undefined) this.rooted = true
    const xattrs = mergeXattrs(directory.xattrs, entry)
    const { mtime, mtimeNanoseconds } = entry
    Object.assign(directory, ownerOf(entry), { mtime, mtimeNanoseconds }, xattrs === undefined ? {} : { xattrs })
  }

  /** The directory `name`, in place of anything else that has the name. */
  #child(parent: DirectoryNode, name: string, time: Time): DirectoryNode {
    const before = parent.children.get(name)
    if (before?.type === "directory") return before
    if (parent.depth >= MAX_DEPTH) throw new DhowError("invalid", `It lies deeper than ${MAX_DEPTH} directories`)
    const made = makeDirectory(parent, time)
    // What lower layers have there stays hidden, as the whiteout that was there said.
    if (isWhiteout(before)) setXattr(made, OPAQUE, Buffer.from("y"))
    this.#limits.countDirectory(name)
    this.#put(parent, name, made)
    return made
  }

  #whiteOut(directory: DirectoryNode, name: string): void {
    const there = directory.children.get(name)
    // What this layer itself has at the path stays; a directory must hide what lies below it.
    if (there === undefined) this.#put(directory, name, whiteout())
    else if (there.type === "directory") setXattr(there, OPAQUE, Buffer.from("y"))
  }

  #directory(path: string, time: Time): DirectoryNode {
    if (path === ".") return this.root
    const known = this.#known.get(path)
    if (known !== undefined) return known
    const found = this.#walk(path, time)!
    this.#known.set(path, found)
    return found
  }

  /** Follows `path`, symbolic links included. What it names itself is made where missing, unless `time` is undefined. */
  #walk(path: string, time: Time | undefined): DirectoryNode | undefined {
    let at = this.root
    let followed = 0
    const steps = path.split("/").reverse()
    /** Steps below this height are the path's own; those above come from symbolic links. */
    let own = steps.length
    while (steps.length > 0) {
      const name = steps.pop()!
      const isOwn = steps.length < own
      if (isOwn) own = steps.length
      if (name === "" || name === ".") continue
      if (name === "..") {
        at = at.parent ?? at
        continue
      }
      const child = at.children.get(name)
      if (child?.type === "directory") at = child
      else if (child?.type === "symlink") {
        if (++followed > MAX_SYMLINKS) throw new DhowError("invalid", "Its path leads through too many symbolic links")
        if (child.target.startsWith("/")) at = this.root
        steps.push(...child.target.split("/").reverse())
      } else if (child !== undefined && !isWhiteout(child)) {
        if (time === undefined) return undefined
        throw new DhowError("invalid", "Its path leads through a file")
      } else if (time === undefined) return undefined
      else if (isOwn) at = this.#child(at, name, time)
      else throw new DhowError("invalid", "Its path leads through a symbolic link to nowhere")
    }
    return at
  }
}

type Time = { readonly mtime: number; readonly mtimeNanoseconds: number }

/** A directory that no entry describes has the time of the entry that needed it. */
function makeDirectory(parent: DirectoryNode | undefined, { mtime, mtimeNanoseconds }: Time): DirectoryNode {
  const depth = parent === undefined ? 0 : parent.depth + 1
  return { type: "directory", mode: 0o755, uid: 0, gid: 0, mtime, mtimeNanoseconds, parent, depth, children: new Map() }
}

function setXattr(node: DirectoryNode, name: string, value: Uint8Array): void {
  node.xattrs ??= new Map()
  node.xattrs.set(name, value)
}

function checkName(name: string): void {
  if (name.length > MAX_NAME || encodeName(name).length > MAX_NAME)
    throw new DhowError("invalid", `Its name is longer than ${MAX_NAME} bytes`)
}
