// Other files for a volume that exists: made beside the old ones and exchanged in one step, while nobody uses it. A crash
// before the step leaves the old files, one after it the new ones.
import { existsSync, renameSync } from "node:fs"
import { join } from "node:path"
import { crashpoint } from "../../lib/crashpoint.ts"
import { DhowError } from "../../lib/errors.ts"
import { syncDirectory } from "../../lib/files.ts"
import { Undo } from "../../lib/undo.ts"
import { buildFiles, type Fill } from "./build.ts"
import { removeDirectory, type VolumePlaces } from "./places.ts"
import { isForeign, type Volume } from "./record.ts"
import type { LocalVolumes } from "./volumes.ts"

export async function* replaceFiles<T>(
  volumes: LocalVolumes,
  volume: Volume,
  { verb, fill }: { readonly verb: string; readonly fill: Fill<T> },
): AsyncGenerator<T> {
  const { places, mounts } = volumes.parts
  refuseUse(volumes, volume, verb)
  const { replacement, replaced } = placesOf(places, volume)
  await using undo = new Undo(`${verb} of volume "${volume.name}"`)
  undo.defer(() => removeDirectory(replacement))
  yield* buildFiles(volumes, volume, { at: replacement, fill })
  crashpoint("volume.replace:before-exchange")
  // It stays mounted for nobody; and from the look at its users to the last rename nobody else has a turn.
  await mounts.settle(volume)
  refuseUse(volumes, volume, verb)
  if (volume.record.limit?.by === "image") renameSync(join(replacement, "image"), places.image(volume))
  else {
    renameSync(places.data(volume), replaced)
    crashpoint("volume.replace:between")
    renameSync(join(replacement, "_data"), places.data(volume))
  }
  syncDirectory(places.of(volume))
  crashpoint("volume.replace:after-exchange")
  removeDirectory(replaced)
}

/** After a crash: either the old files or the new ones, and nothing beside them. */
export function settleReplacement(places: VolumePlaces, volume: Volume): void {
  const { replacement, replaced } = placesOf(places, volume)
  if (existsSync(replaced) && !existsSync(places.data(volume))) renameSync(replaced, places.data(volume))
  for (const path of [replaced, replacement]) if (existsSync(path)) removeDirectory(path)
}

function placesOf(places: VolumePlaces, volume: Volume): { readonly replacement: string; readonly replaced: string } {
  return { replacement: join(places.of(volume), "replacement"), replaced: join(places.of(volume), "replaced") }
}

function refuseUse({ parts: { users, mounts } }: LocalVolumes, volume: Volume, verb: string): void {
  const { name, record } = volume
  if (isForeign(record))
    throw new DhowError("conflict", `Cannot ${verb} volume "${name}": its files are not the engine's`, {
      hint: `They are those of "${record.options["device"]}": clone the volume, or copy into it from a container`,
    })
  const running = users(name).filter(({ Running }) => Running)
  if (running.length > 0)
    throw new DhowError(
      "conflict",
      `Cannot ${verb} volume "${name}": it is used by ${running.map(({ Name }) => `"${Name}"`).join(", ")}`,
      { hint: "Stop these containers, and start them afterwards" },
    )
  if (mounts.isHeld(volume))
    throw new DhowError(
      "conflict",
      `Cannot ${verb} volume "${name}": a container is being started with it, or its files are being read`,
    )
}
