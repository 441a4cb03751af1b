// Which form new layers get: what is configured, and for `auto` what the host can, found by trying. Layers that are there
// stay in theirs, so that the choice may change with the host or the configuration.
import { join } from "node:path"
import { DhowError } from "../lib/errors.ts"
import { log } from "../lib/log.ts"
import type { Database } from "../state/database.ts"
import type { Snapshotter } from "./contract.ts"
import { unpackedLayers } from "./directory.ts"
import { type MountWay, probeErofs } from "./erofs/mount.ts"
import { indexedLayers } from "./erofs.ts"
import type { LayerForm } from "./layer-form.ts"
import { OverlaySnapshotter } from "./overlay-snapshotter.ts"

export type StorageDriver = Snapshotter["name"] | "auto"

export type SnapshotterOptions = {
  readonly driver: StorageDriver
  /** For layers and snapshots. */
  readonly directory: string
  /** For what is mounted. */
  readonly mounts: string
  /** Command line that runs an internal verb of this program: [program, "internal"]. */
  readonly internalCommand: readonly string[]
}

const WAYS: Readonly<Record<MountWay, string>> = {
  file: "this kernel mounts EROFS from files",
  loop: "this kernel mounts EROFS through loop devices",
}

export function openSnapshotter(database: Database, options: SnapshotterOptions): Snapshotter {
  const { driver, directory, mounts, internalCommand } = options
  const unpacked = unpackedLayers({ internalCommand })
  const count = indexedCount(database)
  const open = (forms: readonly [LayerForm, ...LayerForm[]], reason: string): Snapshotter =>
    new OverlaySnapshotter(database, directory, { forms, reason })

  if (driver === "directory" && count === 0) return open([unpacked], "configured")
  const way = probeErofs(join(directory, ".probe"))
  if (way !== undefined) {
    const indexed = indexedLayers({ internalCommand, mounts, way })
    if (driver === "directory") return open([unpacked, indexed], "configured")
    return open([indexed, unpacked], driver === "auto" ? WAYS[way] : `configured; ${WAYS[way]}`)
  }
  if (driver === "erofs")
    throw new DhowError("invalid", 'Cannot use the storage driver "erofs": this host cannot mount EROFS', {
      hint: "Use --storage-driver auto; layers that are there are then unpacked again",
    })
  if (count > 0) log.warn("This host cannot mount EROFS: layers are made anew as directories", { layers: count })
  return open([unpacked], driver === "auto" ? "this host cannot mount EROFS" : "configured")
}

function indexedCount(database: Database): number {
  return database.query<{ count: number }>("SELECT count(*) AS count FROM layers WHERE snapshotter = 'erofs'").get()!
    .count
}
