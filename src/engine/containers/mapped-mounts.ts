// Mounts with a map of ids: a mapped copy of what is mounted at the source is put beside the container's root, for the
// runtime to bind, and taken away once the container has it. `removeBundle` takes what a crash leaves.
import { createHash } from "node:crypto"
import {
  closeSync,
  existsSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmdirSync,
  statSync,
  unlinkSync,
  writeFileSync,
} from "node:fs"
import { join } from "node:path"
import { crashpoint } from "../../lib/crashpoint.ts"
import { DhowError, errnoName } from "../../lib/errors.ts"
import { mountedBelow, mountOf, parseMountinfo } from "../../lib/mountinfo.ts"
import { type IdRanges, idNamespace, mapTree } from "../../lib/syscalls/id-map.ts"
import { MS, unmountAll } from "../../lib/syscalls/mount.ts"
import { attachTree, cloneTree, setAttributes } from "../../lib/syscalls/mount-tree.ts"
import type { ResolvedMount } from "./record.ts"

const O_PATH = 0o10000000

/** Puts the mapped copy of `source` below `directory`, and returns where. */
export async function mapMount(
  { Destination, options }: Pick<ResolvedMount, "Destination" | "options">,
  { source, ranges, directory }: { readonly source: string; readonly ranges: IdRanges; readonly directory: string },
): Promise<string> {
  const isDirectory = statSync(source).isDirectory()
  const recursive = isDirectory && options.includes("rbind")
  const place = join(directory, createHash("sha256").update(Destination).digest("hex").slice(0, 16))
  release(place)
  mkdirSync(isDirectory ? place : directory, { recursive: true, mode: 0o700 })
  if (!isDirectory) writeFileSync(place, "")
  using namespace = await idNamespace(ranges)
  const tree = mappedTree({ source, destination: Destination, recursive }, namespace.fd)
  try {
    const target = openSync(place, O_PATH)
    try {
      attachTree(tree, target)
      crashpoint("container.map:after-attach")
    } finally {
      closeSync(target)
    }
  } finally {
    closeSync(tree)
  }
  return place
}

/** What was put there for the runtime goes; the container has its own. */
export function unmapAll(directory: string): void {
  if (existsSync(directory)) for (const place of readdirSync(directory)) release(join(directory, place))
}

/** Never with what is in it: those are the user's files until it is surely unmounted. */
function release(place: string): void {
  unmountAll(place)
  const found = lstatSync(place, { throwIfNoEntry: false })
  if (found?.isDirectory()) rmdirSync(place)
  else if (found !== undefined) unlinkSync(place)
}

type Wanted = { readonly source: string; readonly destination: string; readonly recursive: boolean }

function mappedTree({ source, destination, recursive }: Wanted, namespace: number): number {
  let tree: number | undefined
  try {
    tree = cloneTree(source, { recursive })
    // What is mounted on the host later would come in without the map.
    setAttributes(tree, { set: 0, clear: 0, propagation: MS.PRIVATE }, { recursive })
    mapTree(tree, namespace, { recursive })
    return tree
  } catch (cause) {
    if (tree !== undefined) closeSync(tree)
    throw unmappable({ source, destination, recursive }, { namespace, cause })
  }
}

function unmappable(wanted: Wanted, { namespace, cause }: { namespace: number; cause: unknown }): unknown {
  const code = errnoName(cause)
  if (code === "ENOSYS")
    return new DhowError("not-implemented", "The kernel cannot map the ids of a mount: it is older than 5.12", {
      cause,
    })
  if (code !== "EINVAL" && code !== "EPERM" && code !== "EOPNOTSUPP") return cause
  const { source, destination, recursive } = wanted
  const culprit = mountsOf(source, recursive).find(({ path }) => !canMap(path, namespace))
  const where =
    culprit === undefined || culprit.isSource ? "" : `"${culprit.path}" below it is a mount of its own, and `
  const what =
    code === "EPERM"
      ? "has a map of ids already, or belongs to another user namespace"
      : `the file system there, ${culprit?.type ?? "unknown"}, cannot do so`
  return new DhowError(
    "invalid",
    `Cannot map the ids of "${source}" for the mount at "${destination}": ${where}${what}`,
    {
      hint:
        where === ""
          ? "Leave out the map, and run as the owner of the files: --user UID:GID, or --user host; or copy them to a volume"
          : "Leave out what is mounted below: --mount type=bind,bind-recursive=disabled,...",
      cause,
    },
  )
}

type Candidate = { readonly path: string; readonly type: string; readonly isSource: boolean }

/** The source, and what is mounted below it, the outermost first. */
function mountsOf(source: string, recursive: boolean): readonly Candidate[] {
  const real = realpathSync(source)
  const own = mountOf(real, parseMountinfo(readFileSync("/proc/self/mountinfo", "utf8")))
  const below = recursive ? mountedBelow(real).filter(({ path }) => path !== real) : []
  return [
    { path: real, type: own?.type ?? "unknown", isSource: true },
    ...[...below].reverse().map(({ path, type }) => ({ path, type, isSource: false })),
  ]
}

function canMap(path: string, namespace: number): boolean {
  try {
    const tree = cloneTree(path, { recursive: false })
    try {
      mapTree(tree, namespace, { recursive: false })
      return true
    } finally {
      closeSync(tree)
    }
  } catch {
    return false
  }
}
