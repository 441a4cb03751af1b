// GET /images/{name}/history: the newest step first; only the image itself has an id and names.
import { DhowError } from "../../lib/errors.ts"
import type { Platform } from "../../oci/platform.ts"
import type { ImageHistoryEntry } from "../../wire/image.ts"
import { layerSize } from "./chains.ts"
import { familiar, type ImagesContext, isCanonical } from "./context.ts"
import { findImage } from "./resolve.ts"

export function imageHistory(
  { records, configs, snapshotter }: Pick<ImagesContext, "records" | "configs" | "snapshotter">,
  reference: string,
  platform?: Platform,
): ImageHistoryEntry[] {
  const { id } = findImage(records, reference, platform)
  const config = configs.read(id)
  const layers = config.rootfs.diff_ids.values()
  const entries: ImageHistoryEntry[] = (config.history ?? []).map((step) => {
    const layer = step.empty_layer === true ? undefined : layers.next()
    if (layer?.done === true)
      throw new DhowError("internal", `History of image "${reference}" has more steps with a layer than the image has`)
    return {
      Id: "<missing>",
      Created: step.created === undefined ? 0 : Math.floor(Date.parse(step.created) / 1000) || 0,
      CreatedBy: step.created_by ?? "",
      Tags: null,
      Size: layer === undefined ? 0 : layerSize(snapshotter, layer.value),
      Comment: step.comment ?? "",
    }
  })
  const newest = entries.at(-1)
  if (newest !== undefined) {
    const tags = records.tagsOf(id).flatMap(({ reference: name }) => (isCanonical(name) ? [] : familiar(name)))
    newest.Id = id
    newest.Tags = tags.length === 0 ? null : tags
  }
  return entries.reverse()
}
