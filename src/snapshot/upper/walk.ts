// Walks what was written to a snapshot (overlay's upper directory) beside what lies beneath it, in the order of names'
// bytes, a directory before what is in it. Whiteouts and opaque directories become what they mean.
import type { BigIntStats } from "node:fs"
import { DhowError } from "../../lib/errors.ts"
import { getXattr, listXattrs } from "../../lib/syscalls/read-tree.ts"
import { decodeName } from "../../lib/tar/names.ts"
import type { WhiteoutPrefix } from "../place.ts"
import type { Directory } from "./directory.ts"

/** A file in a directory that is open: valid until the next step of the walk. */
export type Found = { readonly in: Directory; readonly name: Buffer; readonly stat: BigIntStats }

export type Visit =
  /** A directory of the tree as the container sees it. What is in it follows, then "leave". */
  | {
      readonly kind: "enter"
      readonly path: string
      readonly upper?: Found
      readonly lower?: Found
      readonly opaque: boolean
    }
  | { readonly kind: "leave" }
  /** Anything else that the container sees. `covered`: the lower file at that path is hidden by a directory above. */
  | {
      readonly kind: "file"
      readonly path: string
      readonly upper?: Found
      readonly lower?: Found
      readonly covered: boolean
    }
  /** A lower file that the container does not see any more: by a whiteout, or else by an opaque directory around it. */
  | { readonly kind: "gone"; readonly path: string; readonly whiteout: boolean }

export type WalkOptions = {
  readonly prefix: WhiteoutPrefix
  /** Visit lower files that nothing was changed of, too: the whole tree. */
  readonly all: boolean
}

type Place = {
  readonly upper: Directory | undefined
  readonly lower: Directory | undefined
  readonly path: string
  /** Nothing lower shows through here. */
  readonly covered: boolean
}

/** The root itself is not visited. */
export function* walkUpper(upper: Directory, lower: Directory | undefined, options: WalkOptions): Generator<Visit> {
  yield* walk({ upper, lower, path: "", covered: false }, options)
}

function* walk(place: Place, options: WalkOptions): Generator<Visit> {
  const { upper, lower, covered } = place
  const withLower = lower !== undefined && (options.all ? !covered : covered)
  for (const name of union(upper?.names() ?? [], withLower ? lower.names() : [])) {
    const path = place.path === "" ? decodeName(name) : `${place.path}/${decodeName(name)}`
    const above = find(upper, name)
    const below = find(lower, name)
    if (above === undefined && below === undefined) continue
    if (above === undefined) {
      if (!options.all) yield { kind: "gone", path, whiteout: false }
      else yield* visit({ ...place, path, upper: undefined }, { lower: below! }, options)
    } else if (isWhiteout(above.stat)) {
      if (below !== undefined) yield { kind: "gone", path, whiteout: !covered }
    } else yield* visit({ ...place, path }, { upper: above, ...(below === undefined ? {} : { lower: below }) }, options)
  }
}

function* visit(
  { path, covered }: Place,
  { upper, lower }: { readonly upper?: Found; readonly lower?: Found },
  options: WalkOptions,
): Generator<Visit> {
  const both = { ...(upper === undefined ? {} : { upper }), ...(lower === undefined ? {} : { lower }) }
  if (!(upper ?? lower)!.stat.isDirectory()) {
    yield { kind: "file", path, covered, ...both }
    return
  }
  using above = upper === undefined ? undefined : upper.in.child(upper.name)
  if (upper !== undefined && above === undefined) return
  using below = lower?.stat.isDirectory() ? lower.in.child(lower.name) : undefined
  const marked = above !== undefined && isOpaque(above, path, options.prefix)
  // A directory in the place of something else hides it as a whole.
  const opaque = marked && !covered && below !== undefined
  yield { kind: "enter", path, opaque, ...both }
  const hidden = covered || marked
  yield* walk({ upper: above, lower: options.all && hidden ? undefined : below, path, covered: hidden }, options)
  yield { kind: "leave" }
}

function find(directory: Directory | undefined, name: Buffer): Found | undefined {
  const stat = directory?.stat(name)
  return directory === undefined || stat === undefined ? undefined : { in: directory, name, stat }
}

function isWhiteout(stat: BigIntStats): boolean {
  return stat.isCharacterDevice() && stat.rdev === 0n
}

function isOpaque(directory: Directory, path: string, prefix: WhiteoutPrefix): boolean {
  if (!listXattrs(directory.path).some((name) => name.startsWith(prefix))) return false
  // Written by a mount with other options than ours: what is here would not be all there is.
  if (getXattr(directory.path, `${prefix}redirect`) !== undefined)
    throw new DhowError("internal", `Directory "${path}" was renamed in a way that cannot be read from its files`)
  return getXattr(directory.path, `${prefix}opaque`)?.toString() === "y"
}

/** Both are in order. */
function* union(a: readonly Buffer[], b: readonly Buffer[]): Generator<Buffer> {
  let [i, j] = [0, 0]
  while (i < a.length || j < b.length) {
    const order = i === a.length ? 1 : j === b.length ? -1 : Buffer.compare(a[i]!, b[j]!)
    yield order <= 0 ? a[i]! : b[j]!
    if (order <= 0) i++
    if (order >= 0) j++
  }
}
