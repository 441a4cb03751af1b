// What bind mounts pass on between host and container. A mount can only take part in what its source's own mount takes
// part in, and one that shows the engine's own directories must not hold on to what the engine unmounts.
import { readFileSync, realpathSync } from "node:fs"
import { DhowError } from "../../lib/errors.ts"
import { mountOf, parseMountinfo } from "../../lib/mountinfo.ts"
import type { RuntimeMount } from "../../oci/runtime-spec.ts"

const SHARED = new Set(["shared", "rshared"])
const SLAVE = new Set(["slave", "rslave"])
/** What a new file system can be made; there is nothing that it could be the slave of. */
const OWN = new Set([...SHARED, "unbindable", "runbindable"])

export type BindPropagation = {
  readonly source: string
  readonly propagation: string
  /** It was the engine's choice: where the source cannot do it, the mount is private. */
  readonly implied: boolean
}

/** The propagation that the runtime is to set; throws Docker's words where the source's mount has none. */
export function bindPropagation({ source, propagation, implied }: BindPropagation): string {
  const isShared = SHARED.has(propagation)
  if (!isShared && !SLAVE.has(propagation)) return propagation
  const entry = mountOf(realpathSync(source), parseMountinfo(readFileSync("/proc/self/mountinfo", "utf8")))
  const can = (kind: string): boolean => entry?.propagation.some((word) => word.startsWith(kind)) ?? false
  if (can("shared:") || (!isShared && can("master:"))) return propagation
  if (implied) return "rprivate"
  throw new DhowError(
    "invalid",
    `path ${source} is mounted on ${entry?.path ?? "/"} but it is not a shared${isShared ? "" : " or slave"} mount`,
    { hint: `Let it be one: mount --make-shared ${entry?.path ?? "/"}` },
  )
}

/**
 * What the container's root must be for these to work. The runtime makes the root so once all is mounted, and where that
 * is recursive it undoes what a mount of its own was made.
 */
export function rootPropagation(
  mounts: readonly RuntimeMount[],
  tmpfs: Readonly<Record<string, string>>,
): { readonly rootfsPropagation?: string } {
  const asks = (words: ReadonlySet<string>): boolean =>
    mounts.some(({ options }) => options.some((option) => words.has(option)))
  if (asks(SHARED)) return { rootfsPropagation: "shared" }
  const isOwn = Object.values(tmpfs).some((options) => options.split(",").some((word) => OWN.has(word)))
  if (asks(SLAVE)) return { rootfsPropagation: isOwn ? "slave" : "rslave" }
  return isOwn ? { rootfsPropagation: "private" } : {}
}

/**
 * Docker's rule for a bind of a directory that holds, or lies in, the engine's own: the container is to let go of what the
 * engine unmounts. `chosen` is what the user says, "" for nothing.
 */
export function guardedPropagation(source: string, chosen: string, roots: readonly string[]): "rslave" | undefined {
  const contains = (outer: string, inner: string): boolean =>
    outer === "/" || inner === outer || inner.startsWith(`${outer}/`)
  const root = roots.find((one) => contains(one, source) || contains(source, one))
  if (root === undefined || chosen === "rslave" || chosen === "rshared") return undefined
  if (chosen === "") return "rslave"
  throw new DhowError(
    "invalid",
    `invalid mount config: must use either propagation mode "rslave" or "rshared" when mount source is within the daemon root, daemon root: "${root}", bind mount source: "${source}", propagation: "${chosen}"`,
  )
}
