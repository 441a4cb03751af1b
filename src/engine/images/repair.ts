// After a power failure the database may be a little older than the disk: rows of removed images are back, whose bytes
// are not. What is gone is forgotten, so that one lost file does not make every list fail; what can be made anew, is.
import { existsSync } from "node:fs"
import { log } from "../../lib/log.ts"
import type { ImagesContext } from "./context.ts"

export async function repairImages(context: ImagesContext): Promise<void> {
  forgetLost(context)
  await restoreLayers(context)
}

function forgetLost({ records, content }: ImagesContext): void {
  for (const { digest } of [...content.list()]) if (!existsSync(content.path(digest))) content.remove(digest)
  for (const { id, manifest } of records.images()) {
    if (content.has(id) && content.has(manifest)) continue
    log.warn("An image is gone: its files did not survive", { image: id })
    records.dropImage(id)
  }
  for (const { reference, target } of records.tags())
    if (records.inTarget(target).length === 0) records.dropTag(reference)
}

/** Layers whose files were not on disk yet; their tar is written durably first. */
async function restoreLayers({ records, configs, content, snapshotter }: ImagesContext): Promise<void> {
  const layers = new Set(records.images().flatMap((row) => configs.read(row.id).rootfs.diff_ids))
  for (const layer of layers) {
    if (snapshotter.hasLayer(layer)) continue
    try {
      await snapshotter.addLayer(layer, content.path(layer))
    } catch (error) {
      log.error("Cannot make a layer anew", { layer, error: String(error) })
    }
  }
}
