// Snapshots: copies of a volume's files as they were, kept beside it and gone with it. Where the file system shares blocks
// they cost nothing until one side changes.
import { randomBytes } from "node:crypto"
import { existsSync, mkdirSync, readdirSync, renameSync } from "node:fs"
import { join } from "node:path"
import { crashpoint } from "../../lib/crashpoint.ts"
import { DhowError } from "../../lib/errors.ts"
import { syncDirectory } from "../../lib/files.ts"
import { Undo } from "../../lib/undo.ts"
import { checkName } from "./options.ts"
import { removeDirectory } from "./places.ts"
import type { Volume } from "./record.ts"
import type { VolumeSnapshot } from "./snapshot-rows.ts"
import type { LocalVolumes } from "./volumes.ts"

type Totals = { readonly files: number; readonly bytes: number }

export async function* takeSnapshot<T extends Totals>(
  volumes: LocalVolumes,
  volume: Volume,
  { name, fill }: { readonly name: string; readonly fill: (directory: string) => AsyncGenerator<T> },
): AsyncGenerator<T, VolumeSnapshot> {
  const { places, snapshots } = volumes.parts
  checkName(name, "snapshot")
  refuseTaken(volumes, volume, name)
  const id = randomBytes(16).toString("hex")
  const directory = places.snapshots(volume)
  const unfinished = join(directory, `.new-${id}`)
  await using undo = new Undo(`snapshot "${name}" of volume "${volume.name}"`)
  undo.defer(() => removeDirectory(unfinished))
  mkdirSync(unfinished, { recursive: true, mode: 0o700 })
  const createdAt = Date.now()
  let totals: Totals = { files: 0, bytes: 0 }
  for await (const one of fill(unfinished)) {
    totals = one
    yield one
  }
  refuseTaken(volumes, volume, name)
  renameSync(unfinished, join(directory, id))
  syncDirectory(directory)
  crashpoint("volume.snapshot:before-row")
  const { files, bytes } = totals
  const snapshot = { id, volume: volume.id, name, createdAt, record: { files, bytes } }
  try {
    snapshots.insert(snapshot)
  } catch (error) {
    removeDirectory(join(directory, id))
    throw error
  }
  undo.forget()
  return snapshot
}

export function snapshotPath({ parts: { places } }: LocalVolumes, volume: Volume, { id }: VolumeSnapshot): string {
  return join(places.snapshots(volume), id)
}

export function getSnapshot({ parts: { snapshots } }: LocalVolumes, volume: Volume, name: string): VolumeSnapshot {
  const found = snapshots.find(volume.id, name)
  if (found === undefined) {
    const names = snapshots.of(volume.id).map((one) => one.name)
    throw new DhowError("not-found", `Volume "${volume.name}" has no snapshot "${name}"`, {
      hint: names.length === 0 ? "It has none: take one first" : `It has ${names.join(", ")}`,
    })
  }
  return found
}

export function dropSnapshot(volumes: LocalVolumes, volume: Volume, name: string): void {
  const snapshot = getSnapshot(volumes, volume, name)
  volumes.parts.snapshots.delete(snapshot.id)
  crashpoint("volume.snapshot-remove:after-row")
  removeDirectory(snapshotPath(volumes, volume, snapshot))
}

/** What a crash left: snapshots without a row. */
export function sweepSnapshots(volumes: LocalVolumes, volume: Volume): void {
  const directory = volumes.parts.places.snapshots(volume)
  if (!existsSync(directory)) return
  const known = new Set(volumes.parts.snapshots.of(volume.id).map(({ id }) => id))
  for (const name of readdirSync(directory)) if (!known.has(name)) removeDirectory(join(directory, name))
}

/** "20261122-221803", with a number where that is taken. */
export function newSnapshotName({ parts: { snapshots } }: LocalVolumes, volume: Volume): string {
  const stamp = new Date().toISOString().slice(0, 19).replace(/[-:]/g, "").replace("T", "-")
  for (let serial = 1; ; serial++) {
    const name = serial === 1 ? stamp : `${stamp}-${serial}`
    if (snapshots.find(volume.id, name) === undefined) return name
  }
}

function refuseTaken({ parts: { snapshots } }: LocalVolumes, volume: Volume, name: string): void {
  if (snapshots.find(volume.id, name) !== undefined)
    throw new DhowError("conflict", `Volume "${volume.name}" has a snapshot "${name}" already`)
}
