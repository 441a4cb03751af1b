// New files for a volume, beside those that it has or before it exists: whoever fills them may fail or die at any point, and
// the volume is as it was. What was filled is on the disk when it takes its place.
import { mkdirSync, renameSync } from "node:fs"
import { join } from "node:path"
import { crashpoint } from "../../lib/crashpoint.ts"
import { DhowError } from "../../lib/errors.ts"
import { syncDirectory } from "../../lib/files.ts"
import { Undo } from "../../lib/undo.ts"
import { removeDirectory } from "./places.ts"
import type { Volume } from "./record.ts"
import type { LocalVolumes } from "./volumes.ts"

/** Fills the directory that it is given; what it yields is passed on. */
export type Fill<T> = (directory: string) => AsyncGenerator<T>

/** Makes `at` with _data in it, or with an image, as the volume has it, and fills that. */
export async function* buildFiles<T>(
  { parts: { mounts } }: LocalVolumes,
  volume: Volume,
  { at, fill }: { readonly at: string; readonly fill: Fill<T> },
): AsyncGenerator<T> {
  const data = join(at, "_data")
  mkdirSync(data, { recursive: true, mode: 0o755 })
  if (volume.record.limit?.by !== "image") {
    yield* fill(data)
    await settleOnDisk(data)
    return
  }
  const image = join(at, "image")
  await mounts.format(volume, image)
  await mounts.mountImage(volume, image, data)
  try {
    yield* fill(data)
    await settleOnDisk(data)
  } finally {
    await mounts.unmountImage(volume, data)
  }
}

/** A volume that begins its life with these files. */
export async function* createFilled<T>(
  volumes: LocalVolumes,
  planned: Volume,
  fill: Fill<T>,
): AsyncGenerator<T, Volume> {
  const { places, rows } = volumes.parts
  refuseTaken(volumes, planned.name)
  const fresh = places.fresh(planned.id)
  await using undo = new Undo(`creation of volume "${planned.name}"`)
  undo.defer(() => removeDirectory(fresh))
  yield* buildFiles(volumes, planned, { at: fresh, fill })
  refuseTaken(volumes, planned.name)
  // The directory may have been taken meanwhile.
  const volume = { ...planned, directory: places.choose(planned.name, planned.id), createdAt: Date.now() }
  crashpoint("volume.fill:before-row")
  volumes.insert(volume)
  undo.forget()
  crashpoint("volume.fill:before-name")
  try {
    renameSync(fresh, places.of(volume))
  } catch (error) {
    rows.delete(volume.id)
    removeDirectory(fresh)
    throw error
  }
  syncDirectory(places.root)
  return volume
}

export function refuseTaken(volumes: LocalVolumes, name: string): void {
  if (volumes.parts.rows.isTaken(name)) throw new DhowError("conflict", `a volume named ${name} already exists`)
}

/** Everything that was written to the file system of `path`. */
async function settleOnDisk(path: string): Promise<void> {
  const child = Bun.spawn(["sync", "-f", path], { stdio: ["ignore", "ignore", "pipe"] })
  const [status, message] = await Promise.all([child.exited, new Response(child.stderr).text()])
  if (status !== 0) throw new DhowError("internal", `Cannot write "${path}" to the disk: ${message.trim()}`)
}
