// Bounds on what archives may make this machine store.
import { statfsSync } from "node:fs"

/** Manifests, indexes and configurations. */
export const DOCUMENT_LIMIT = 8 << 20
/** Entries of one image archive; images have a few files for each layer. */
export const ENTRY_LIMIT = 100_000

/** The most bytes one layer may unpack to: what the disk can take and still let others work. */
export function layerLimit(root: string): number {
  const { bavail, bsize } = statfsSync(root)
  return Math.floor(bavail * bsize * 0.9)
}
