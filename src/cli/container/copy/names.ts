// Where a copy ends up, by docker's rules: what is a directory and is there takes the source into it; what is not there
// becomes the source; a source that ends in "/." means what is in it.
import { posix } from "node:path"
import { DhowError } from "../../../lib/errors.ts"

/** "CONTAINER:PATH", or a path of this host. A path that begins with "/" or "." is never a container's. */
export function splitArgument(argument: string): { readonly container?: string; readonly path: string } {
  const colon = argument.indexOf(":")
  if (argument.startsWith("/") || argument.startsWith(".") || colon <= 0) return { path: argument }
  return { container: argument.slice(0, colon), path: argument.slice(colon + 1) }
}

/** The directory and the last component; "." where the path ends in "/.". */
export function splitEntry(path: string): { readonly directory: string; readonly base: string } {
  const isContent = /(?:^|\/)\.$/.test(path)
  const clean = posix.normalize(path).replace(/(?<=.)\/$/, "")
  if (isContent) return { directory: clean, base: "." }
  return { directory: posix.dirname(clean), base: clean === "/" ? "/" : posix.basename(clean) }
}

export type Source = { readonly path: string; readonly isDirectory: boolean; readonly rename?: string | undefined }
export type Target = { readonly path: string; readonly exists: boolean; readonly isDirectory: boolean }

export type Plan = {
  /** Directory to unpack into. */
  readonly directory: string
  /** First component of the archive's names, and what it becomes. */
  readonly rename?: { readonly from: string; readonly to: string }
}

/** Throws invalid where the two do not go together. */
export function planCopy(source: Source, target: Target): Plan {
  if (target.exists && target.isDirectory) return { directory: target.path, ...renaming(source, source.rename) }
  if (target.exists && source.isDirectory) throw new DhowError("invalid", "cannot copy directory")
  if (!target.exists && !source.isDirectory && target.path.endsWith("/"))
    throw new DhowError("invalid", `no such directory: ${target.path}`)
  const { directory, base } = splitEntry(target.path)
  return { directory, ...renaming(source, base) }
}

function renaming(source: Source, to: string | undefined): Pick<Plan, "rename"> {
  const from = splitEntry(source.path).base
  return to === undefined || to === from ? {} : { rename: { from, to } }
}

/** A name of the archive after the renaming; undefined for one that is not below the first component. */
export function renamed(name: string, rename: Plan["rename"]): string {
  if (rename === undefined) return name
  const from = rename.from === "/" ? "" : rename.from
  if (name === from) return rename.to
  return name.startsWith(`${from}/`) ? `${rename.to}${name.slice(from.length)}` : name
}
