// The tar of what was written to a snapshot: a layer as small as it can be, in the order of names' bytes, so that the
// same files give the same bytes. A directory is in it for its own sake or for what is in it; OCI whiteouts stand for what
// is gone; hard links stay links where both names are in the layer.
import { closeSync } from "node:fs"
import type { TarType } from "../../lib/tar/entry.ts"
import type { TarOutput } from "../../lib/tar/output.ts"
import { isEngineDirectory, isEngineFile } from "./engine-places.ts"
import { isIdentical, sameAttributes, xattrsOf } from "./same.ts"
import type { Found, Visit } from "./walk.ts"

const NANOSECONDS = 1_000_000_000n

type Meta = Parameters<TarOutput["entry"]>[0]
type Around = {
  readonly found: Found
  readonly meta: Meta
  told: boolean
  readonly lower: Found | undefined
  held: boolean
}

/** What a layer has to say of what was written over its lower layers. `root` is the root directory, where it has changed. */
export function writeLayer(visits: Iterable<Visit>, root: Found | undefined, out: TarOutput): void {
  const writer = new Writer(out)
  if (root !== undefined) writer.add("./", root)
  for (const visit of visits) writer.visit(visit)
  out.end()
}

/** The whole tree, with everything beneath that shows through. */
export function writeTree(visits: Iterable<Visit>, out: TarOutput): void {
  const files = new Files(out)
  for (const visit of visits)
    if (visit.kind === "enter" || visit.kind === "file") files.add(visit.path, (visit.upper ?? visit.lower)!)
  out.end()
}

class Writer {
  readonly #out: TarOutput
  readonly #files: Files
  readonly #around: Around[] = []

  constructor(out: TarOutput) {
    this.#out = out
    this.#files = new Files(out)
  }

  visit(visit: Visit): void {
    switch (visit.kind) {
      case "enter":
        this.#enter(visit)
        break
      case "leave":
        this.#leave()
        break
      case "gone":
        // One around it hides the others.
        if (visit.whiteout) this.#whiteout(visit.path.replace(/[^/]+$/, ".wh.$&"))
        break
      case "file":
        this.#file(visit)
        break
      default:
        visit satisfies never
    }
  }

  add(path: string, found: Found): void {
    this.#tellAround()
    this.#files.add(path, found)
  }

  #enter({ path, upper, lower, opaque }: Visit & { readonly kind: "enter" }): void {
    // Directories that nobody wrote to are not visited here.
    const found = upper!
    const meta = metaOf(path, found, "directory")!
    const around = { found, meta, lower, told: false, held: false }
    this.#around.push(around)
    const isOurs = lower === undefined && isEngineDirectory(path)
    const isChanged = lower === undefined ? !isOurs : !lower.stat.isDirectory() || !sameAttributes(found, lower)
    if (isChanged || opaque) this.#tellAround()
    if (opaque) this.#whiteout(`${path}/.wh..wh..opq`)
    const parent = this.#around.at(-2)
    if (parent !== undefined && isOurs) parent.held = true
  }

  /** Files that came and went leave only a directory's time, which is a change too, unless the engine made it. */
  #leave(): void {
    const { found, lower, told, held } = this.#around.at(-1)!
    if (!told && !held && lower !== undefined && lower.stat.mtimeNs !== found.stat.mtimeNs) this.#tellAround()
    this.#around.pop()
  }

  #file({ path, upper, lower, covered }: Visit & { readonly kind: "file" }): void {
    if (upper === undefined) return
    if (lower === undefined && isEngineFile(path, upper.stat)) {
      const parent = this.#around.at(-1)
      if (parent !== undefined) parent.held = true
      return
    }
    if (!covered && lower !== undefined && isIdentical(upper, lower)) return
    this.add(path, upper)
  }

  #whiteout(path: string): void {
    this.#tellAround()
    this.#out.entry({ path, type: "file", mode: 0 })
  }

  #tellAround(): void {
    for (const around of this.#around) {
      if (!around.told) this.#out.entry(around.meta)
      around.told = true
    }
  }
}

/** Adds files as they are found, hard links among them as links. */
export class Files {
  readonly #out: TarOutput
  /** Path of the first name of files that have several. */
  readonly #first = new Map<string, string>()

  constructor(out: TarOutput) {
    this.#out = out
  }

  add(path: string, found: Found): void {
    const type = typeOf(found)
    if (type === undefined || (type !== "directory" && this.#isLink(path, found))) return
    const meta = metaOf(path, found, type)
    if (meta === undefined) return
    if (type === "file") this.#file(meta, found)
    else this.#out.entry(meta)
  }

  /** Whether the file is there by another name: then it has been added as a link to that. */
  #isLink(path: string, found: Found): boolean {
    const { dev, ino, nlink } = found.stat
    if (nlink === 1n) return false
    const key = `${dev}:${ino}`
    const linkPath = this.#first.get(key)
    if (linkPath === undefined) this.#first.set(key, path)
    else this.#out.entry({ path, type: "hardlink", linkPath, mode: mode(found) })
    return linkPath !== undefined
  }

  #file(meta: Meta, found: Found): void {
    const fd = found.in.file(found.name)
    if (fd === undefined) return
    try {
      this.#out.file({ ...meta, size: Number(found.stat.size) }, fd)
    } finally {
      closeSync(fd)
    }
  }
}

/** Undefined for a socket, which no archive holds, and for what went while it was looked at. */
function metaOf(path: string, found: Found, type: TarType): Meta | undefined {
  const { stat } = found
  const linkPath = type === "symlink" ? found.in.link(found.name) : ""
  if (linkPath === undefined) return undefined
  const seconds = stat.mtimeNs / NANOSECONDS - (stat.mtimeNs % NANOSECONDS < 0n ? 1n : 0n)
  const xattrs = xattrsOf(found)
  const isDevice = type === "character-device" || type === "block-device"
  return {
    path,
    type,
    linkPath,
    mode: mode(found),
    uid: Number(stat.uid),
    gid: Number(stat.gid),
    mtime: Number(seconds),
    mtimeNanoseconds: Number(stat.mtimeNs - seconds * NANOSECONDS),
    ...(isDevice ? { device: deviceOf(stat.rdev) } : {}),
    ...(xattrs.size === 0 ? {} : { xattrs }),
  }
}

function mode({ stat }: Found): number {
  return Number(stat.mode & 0o7777n)
}

function typeOf({ stat }: Found): TarType | undefined {
  if (stat.isFile()) return "file"
  if (stat.isDirectory()) return "directory"
  if (stat.isSymbolicLink()) return "symlink"
  if (stat.isCharacterDevice()) return "character-device"
  if (stat.isBlockDevice()) return "block-device"
  return stat.isFIFO() ? "fifo" : undefined
}

/** glibc's gnu_dev_major(3) and gnu_dev_minor(3). */
function deviceOf(device: bigint): { readonly major: number; readonly minor: number } {
  return {
    major: Number(((device >> 8n) & 0xfffn) | ((device >> 32n) & 0xfffff000n)),
    minor: Number((device & 0xffn) | ((device >> 12n) & 0xffffff00n)),
  }
}
