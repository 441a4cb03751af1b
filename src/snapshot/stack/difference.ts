// Two stacks compared, file by file: what one has and the other has not, and how what both have differs. Files that come
// from the same place of the same layer are not looked at.
import { closeSync, openSync } from "node:fs"
import type { Aspect, FileDifference } from "../../wire/image-contents.ts"
import type { Node } from "../erofs/node.ts"
import { sameContent } from "./content.ts"
import { entryOf } from "./entry.ts"
import { inOrder, ownXattrs, type Place, Stack } from "./stack.ts"

type Options = {
  /** Whether a time alone is a difference. */
  readonly times: boolean
}

/** Of each stack the layers' tars, lowest first. */
export function* differences(
  before: readonly string[],
  after: readonly string[],
  options: Options,
): Generator<FileDifference> {
  const [a, b] = [stackOf(before), stackOf(after)]
  using tars = new Tars()
  yield* compare(a.root, b.root, { path: "", before, after, tars, options })
}

function stackOf(tars: readonly string[]): Stack {
  const stack = new Stack()
  for (const tar of tars) stack.push(tar)
  return stack
}

type Comparison = {
  readonly path: string
  readonly before: readonly string[]
  readonly after: readonly string[]
  readonly tars: Tars
  readonly options: Options
}

function* compare(a: Place, b: Place, at: Comparison): Generator<FileDifference> {
  const names = new Map([...inOrder(a.children ?? new Map()), ...inOrder(b.children ?? new Map())])
  for (const [name] of inOrder(names)) {
    const inside = { ...at, path: at.path === "" ? name : `${at.path}/${name}` }
    const [old, now] = [a.children?.get(name), b.children?.get(name)]
    if (old === undefined) yield* all(now!, inside.path, "added")
    else if (now === undefined) yield* all(old, inside.path, "removed")
    else {
      const aspects = aspectsOf(old, now, inside)
      if (aspects.length > 0)
        yield {
          path: inside.path,
          kind: "modified",
          aspects,
          before: entryOf(old.node),
          after: entryOf(now.node),
        }
      if (old.children !== undefined || now.children !== undefined) yield* compare(old, now, inside)
    }
  }
}

function* all(place: Place, path: string, kind: "added" | "removed"): Generator<FileDifference> {
  const entry = entryOf(place.node)
  yield kind === "added" ? { path, kind, after: entry } : { path, kind, before: entry }
  for (const [name, child] of inOrder(place.children ?? new Map())) yield* all(child, `${path}/${name}`, kind)
}

function aspectsOf(old: Place, now: Place, { before, after, tars, options }: Comparison): readonly Aspect[] {
  const [a, b] = [old.node, now.node]
  if (a.type !== b.type) return ["type"]
  const aspects: Aspect[] = []
  if (a.mode !== b.mode) aspects.push("mode")
  if (a.uid !== b.uid || a.gid !== b.gid) aspects.push("owner")
  if (!sameXattrs(a, b)) aspects.push("xattrs")
  if (a.type === "symlink" && b.type === "symlink" && a.target !== b.target) aspects.push("target")
  if ("rdev" in a && "rdev" in b && a.rdev !== b.rdev) aspects.push("device")
  if (a.type === "file" && b.type === "file") {
    const [from, to] = [before[old.layer]!, after[now.layer]!]
    if (a.size !== b.size) aspects.push("size")
    else if (!(from === to && a.extents[0]?.tar === b.extents[0]?.tar)) {
      const same = sameContent({ node: a, fd: tars.open(from) }, { node: b, fd: tars.open(to) })
      if (!same) aspects.push("content")
    }
  }
  const isOlder = a.mtime !== b.mtime || a.mtimeNanoseconds !== b.mtimeNanoseconds
  if (options.times && isOlder && a.type !== "directory") aspects.push("mtime")
  return aspects
}

function sameXattrs(a: Node, b: Node): boolean {
  if (a.xattrs === undefined && b.xattrs === undefined) return true
  const [mine, theirs] = [ownXattrs(a), ownXattrs(b)]
  return (
    mine.size === theirs.size &&
    [...mine].every(([name, value]) => {
      const other = theirs.get(name)
      return other !== undefined && Buffer.compare(value, other) === 0
    })
  )
}

/** Descriptors of the tars that were asked for. */
class Tars implements Disposable {
  readonly #open = new Map<string, number>()

  open(path: string): number {
    const fd = this.#open.get(path) ?? openSync(path, "r")
    this.#open.set(path, fd)
    return fd
  }

  [Symbol.dispose](): void {
    for (const fd of this.#open.values()) closeSync(fd)
  }
}
