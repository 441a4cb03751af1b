// Compares every layer with what its tar makes, and makes those anew that differ. A layer whose tar is damaged cannot be
// judged, and is left alone.
import { DhowError } from "../../lib/errors.ts"
import type { Digest } from "../../oci/digest.ts"
import { type Check, damaged } from "./context.ts"

/** Returns how many were looked at. */
export async function checkLayers(
  check: Check,
  { damagedBlobs, done }: { readonly damagedBlobs: ReadonlySet<Digest>; readonly done: number },
): Promise<number> {
  const { database, content, snapshotter, affected, signal, progress } = check
  const rows = database.query<{ diff_id: Digest }>("SELECT diff_id FROM layers ORDER BY diff_id").all()
  for (const { diff_id: layer } of rows) {
    signal.throwIfAborted()
    const found = {
      object: `files of layer ${layer}`,
      images: affected.images(layer),
      containers: affected.containers(layer),
    }
    // Of a form that this host cannot use, or gone by now.
    if (!snapshotter.hasLayer(layer)) continue
    if (!content.has(layer)) {
      // Nothing but the files is left of it; images that need it are told of by the check of references.
      continue
    }
    if (damagedBlobs.has(layer)) continue
    progress({ object: `layer ${layer}`, done })
    using lease = content.lease()
    lease.hold(layer)
    const problem = await differenceOf(check, layer)
    if (problem === undefined || !snapshotter.hasLayer(layer)) continue
    await damaged(check, { ...found, problem }, () => remake(check, layer))
  }
  return rows.length
}

async function differenceOf({ snapshotter, content, signal }: Check, layer: Digest): Promise<string | undefined> {
  try {
    return await snapshotter.checkLayer(layer, content.path(layer), signal)
  } catch (error) {
    signal.throwIfAborted()
    return `it cannot be compared with its tar: ${String(error)}`
  }
}

export async function remake({ affected, snapshotter, content, signal }: Check, layer: Digest): Promise<string> {
  if (affected.isMounted(layer))
    throw new DhowError("conflict", "a running container stands on it", { hint: "Stop it and repair again" })
  await snapshotter.remakeLayer(layer, content.path(layer), signal)
  return "made anew from its tar"
}
