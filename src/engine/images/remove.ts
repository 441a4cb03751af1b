// DELETE /images/{name}: a name is taken away; with the last name the image goes too, unless a container stands on it.
// Rows first, bytes last: a crash in between leaves bytes for the collection.
import { DhowError } from "../../lib/errors.ts"
import type { Digest } from "../../oci/digest.ts"
import { familiarReference, formatReference, parseReference, withDefaultTag } from "../../oci/reference.ts"
import type { ImageDeleteEntry } from "../../wire/image.ts"
import { chainIdsOf } from "./chains.ts"
import { type ContainerUse, emitImageEvent, familiar, type ImagesContext, isCanonical, shortId } from "./context.ts"
import { findImage, referenceKey } from "./resolve.ts"

export type RemoveContext = Pick<
  ImagesContext,
  "records" | "configs" | "emit" | "containers" | "mounts" | "layersInUse"
>

/** Changes rows only; the caller collects afterwards. */
export function removeImage(
  context: RemoveContext,
  reference: string,
  { force }: { readonly force: boolean },
): ImageDeleteEntry[] {
  const { records } = context
  const { id } = findImage(records, reference)
  const siblings = siblingsOf(context, id)
  const removed: ImageDeleteEntry[] = []
  let quiet = false
  if (isIdPrefix(id, reference)) {
    if (isSingleReference(namesOf(context, id))) {
      for (const one of [id, ...siblings])
        if (isSingleReference(namesOf(context, one))) refuse(conflictOf(context, one, { force, ignoreNames: true }))
      for (const name of namesOf(context, id)) untag(context, id, { name, removed })
    }
  } else {
    const family = [id, ...siblings].filter((one) => isSingleReference(namesOf(context, one)))
    const container = context.containers().find((use) => family.includes(use.imageId as Digest))
    if (!force && container !== undefined)
      throw new DhowError(
        "conflict",
        `conflict: unable to remove repository reference "${reference}" (must force) - ` +
          `container ${shortId(container.id)} is using its referenced image ${shortId(container.imageId)}`,
      )
    const mount = family.flatMap((one) => context.mounts.ofImage(one))[0]
    if (mount !== undefined)
      throw new DhowError(
        "conflict",
        `conflict: unable to remove repository reference "${reference}" (cannot be forced) - ` +
          `its image ${shortId(mount.image_id)} is mounted at "${mount.path}"`,
        { hint: `Unmount it: dhow image unmount ${mount.path}` },
      )
    untagByName(context, id, { reference, removed })
    if (namesOf(context, id).length > 0) return removed
    quiet = true
  }
  deleteImage(context, id, { force, quiet, removed })
  for (const sibling of siblings)
    if (records.image(sibling) !== undefined && namesOf(context, sibling).length === 0)
      deleteImage(context, sibling, { force: false, quiet: true, removed })
  return removed
}

type Removal = { readonly removed: ImageDeleteEntry[] }

function namesOf({ records }: RemoveContext, id: Digest): readonly string[] {
  return records.tagsOf(id).map((tag) => tag.reference)
}

/** The other platforms of the targets that hold the image. */
function siblingsOf({ records }: RemoveContext, id: Digest): readonly Digest[] {
  const all = records.targetsOf(id).flatMap((target) => records.inTarget(target).map((row) => row.id))
  return [...new Set(all)].filter((other) => other !== id)
}

export function untag(
  context: RemoveContext,
  id: Digest,
  { name, removed }: Removal & { readonly name: string },
): void {
  context.records.dropTag(name)
  emitImageEvent(context, "untag", { id })
  removed.push({ Untagged: familiar(name) })
}

/** With a repository's last tag its digest names go too: nobody could have typed them. */
function untagByName(context: RemoveContext, id: Digest, options: Removal & { readonly reference: string }): void {
  const { removed } = options
  const written = parseReference(options.reference)
  const key = referenceKey(written)
  context.records.dropTag(key)
  emitImageEvent(context, "untag", { id })
  removed.push({ Untagged: familiarReference(withDefaultTag(written)) })
  if (isCanonical(key)) return
  const repository = formatReference({ domain: written.domain, path: written.path })
  const left = namesOf(context, id)
  if (left.some((name) => name.startsWith(`${repository}:`))) return
  for (const name of left)
    if (name.startsWith(`${repository}@`)) {
      context.records.dropTag(name)
      removed.push({ Untagged: familiar(name) })
    }
}

type DeleteOptions = Removal & {
  readonly force: boolean
  readonly quiet: boolean
  /** Its names lead to other platforms too. */
  readonly keepNames?: boolean
}

export function deleteImage(context: RemoveContext, id: Digest, options: DeleteOptions): void {
  const { force, quiet, keepNames = false, removed } = options
  const conflict = conflictOf(context, id, { force, ignoreNames: force })
  if (conflict !== undefined) {
    // Asked to take a name away, and the image is still needed: the name is gone, which is what was asked.
    if (quiet && (conflict.used || namesOf(context, id).length > 0)) return
    refuse(conflict)
  }
  if (!keepNames) for (const name of namesOf(context, id)) untag(context, id, { name, removed })
  const chain = context.configs.chain(id)
  context.records.dropImage(id)
  emitImageEvent(context, "delete", { id })
  removed.push({ Deleted: id })
  const kept = chainsInUse(context)
  for (const layer of chain.toReversed()) if (!kept.has(layer)) removed.push({ Deleted: layer })
}

function chainsInUse({ records, configs, layersInUse }: RemoveContext): ReadonlySet<Digest> {
  const chains = records.images().flatMap((row) => configs.chain(row.id))
  return new Set([...chains, ...layersInUse().flatMap(chainIdsOf)])
}

type Conflict = { readonly error: DhowError; readonly used: boolean }

export function conflictOf(
  context: RemoveContext,
  id: Digest,
  { force, ignoreNames }: { readonly force: boolean; readonly ignoreNames: boolean },
): Conflict | undefined {
  const conflict = (forced: "cannot" | "must", reason: string, used: boolean): Conflict => ({
    error: new DhowError("conflict", `conflict: unable to delete ${shortId(id)} (${forced} be forced) - ${reason}`),
    used,
  })
  const [mount] = context.mounts.ofImage(id)
  if (mount !== undefined) return conflict("cannot", `image is mounted at "${mount.path}"`, true)
  const uses = context.containers().filter((use) => use.imageId === id)
  const describe = (kind: string, use: ContainerUse): string =>
    `image is being used by ${kind} container ${shortId(use.id)}`
  const running = uses.find((use) => use.running)
  if (running !== undefined) return conflict("cannot", describe("running", running), true)
  if (!ignoreNames && namesOf(context, id).length > 0)
    return conflict("must", "image is referenced in multiple repositories", false)
  const stopped = uses[0]
  if (!force && stopped !== undefined) return conflict("must", describe("stopped", stopped), true)
  return undefined
}

export function refuse(conflict: Conflict | undefined): void {
  if (conflict !== undefined) throw conflict.error
}

export function isIdPrefix(id: Digest, text: string): boolean {
  return id.startsWith(text) || id.slice("sha256:".length).startsWith(text)
}

/** At most one tag, and everything else digests of the same repository. */
function isSingleReference(names: readonly string[]): boolean {
  if (names.length <= 1) return names.length === 1
  const tags = names.filter((name) => !isCanonical(name))
  if (tags.length > 1) return false
  const repositories = new Set(
    names.map((name) => {
      const { domain, path } = parseReference(name)
      return `${domain}/${path}`
    }),
  )
  return repositories.size === 1
}
