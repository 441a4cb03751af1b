// Which snapshotter a state root has: the one that its rows name, for good; a new root gets what is configured.
import { join } from "node:path"
import { DhowError } from "../lib/errors.ts"
import { log } from "../lib/log.ts"
import type { Database } from "../state/database.ts"
import type { Snapshotter } from "./contract.ts"
import { openDirectorySnapshotter } from "./directory.ts"
import { probeErofs } from "./erofs/mount.ts"
import { openErofsSnapshotter } from "./erofs.ts"

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

export function openSnapshotter(database: Database, options: SnapshotterOptions): Snapshotter {
  const { directory, mounts, internalCommand } = options
  const present = snapshotterOf(database)
  const driver = present ?? options.driver
  if (present !== undefined && options.driver !== "auto" && options.driver !== present)
    log.warn("The storage driver stays what the state root was made with", { driver: present, asked: options.driver })
  if (driver === "directory") return openDirectorySnapshotter(database, directory, { internalCommand })
  const way = probeErofs(join(directory, ".probe"))
  if (way !== undefined) return openErofsSnapshotter(database, directory, { internalCommand, mounts, way })
  if (driver === "auto") return openDirectorySnapshotter(database, directory, { internalCommand })
  throw new DhowError("invalid", 'Cannot use the storage driver "erofs": this host cannot mount EROFS', {
    hint:
      present === undefined
        ? "Use --storage-driver directory"
        : "The images of this state root need a kernel with EROFS: 6.12, or an older one with loop devices",
  })
}

function snapshotterOf(database: Database): Snapshotter["name"] | undefined {
  const rows = database.query<{ snapshotter: Snapshotter["name"] }>(
    "SELECT snapshotter FROM snapshots UNION ALL SELECT snapshotter FROM layers LIMIT 1",
  )
  return rows.get()?.snapshotter
}
