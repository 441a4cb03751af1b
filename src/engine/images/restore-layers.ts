// A power failure may take layers whose files were not on disk yet. Their tar is: it is written durably first.
import { log } from "../../lib/log.ts"
import type { ImagesContext } from "./context.ts"

export async function restoreLayers({ records, configs, content, snapshotter }: ImagesContext): Promise<void> {
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
