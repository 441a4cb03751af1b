// At boot: removals that were decided are finished, creations that never came to their row are undone, and nothing stays
// mounted that no container needs.
import { renameSync } from "node:fs"
import { describeError } from "../../lib/errors.ts"
import { unlinkIfExists } from "../../lib/files.ts"
import { log } from "../../lib/log.ts"
import { unfinished } from "./mounts.ts"
import { removeDirectory } from "./places.ts"
import { isForeign, isMountable } from "./record.ts"
import { settleReplacement } from "./replace.ts"
import { sweepSnapshots } from "./snapshots.ts"
import type { LocalVolumes } from "./volumes.ts"

export async function sweepVolumes(volumes: LocalVolumes): Promise<void> {
  const { rows, places, mounts } = volumes.parts
  for (const { name } of rows.condemned()) await volumes.discard(name)
  for (const { kind, name, path } of places.entries()) {
    try {
      if (kind === "removed") {
        // Engines of old put them aside under their name.
        const volume = rows.byId(name) ?? rows.byDirectory(name)
        if (volume !== undefined) rows.delete(volume.id)
        removeDirectory(path, volume !== undefined && isForeign(volume.record))
      } else if (kind === "new") {
        // With a row it is whole, and only its name was missing.
        const volume = rows.byId(name)
        if (volume === undefined) removeDirectory(path)
        else renameSync(path, places.of(volume))
      } else if (rows.byDirectory(name) === undefined) places.removeStray(path)
    } catch (error) {
      log.warn("A volume's directory could not be swept", { directory: path, error: describeError(error) })
    }
  }
  for (const volume of rows.all()) {
    try {
      settleReplacement(places, volume)
      unlinkIfExists(unfinished(places.image(volume)))
      sweepSnapshots(volumes, volume)
      if (isMountable(volume.record)) await mounts.settle(volume)
    } catch (error) {
      log.warn("A volume could not be swept", { volume: volume.name, error: describeError(error) })
    }
  }
}
