// Puts the parts of volumes together.
import { join } from "node:path"
import type { Database } from "../../state/database.ts"
import type { VolumeUser } from "../../wire/system.ts"
import type { EventLog } from "../events.ts"
import { VolumeMounts } from "./mounts.ts"
import { VolumePlaces } from "./places.ts"
import { VolumeRows } from "./rows.ts"
import { VolumeSnapshots } from "./snapshot-rows.ts"
import { LocalVolumes } from "./volumes.ts"

export function openVolumes(parts: {
  readonly database: Database
  /** The state root. */
  readonly root: string
  readonly internalCommand: readonly string[]
  readonly events: EventLog
  readonly usedBy: (name: string) => readonly string[]
  readonly users: (name: string) => readonly VolumeUser[]
  /** Milliseconds. */
  readonly mountLimit: () => number
}): LocalVolumes {
  const { database, internalCommand, events, usedBy, users } = parts
  const rows = new VolumeRows(database)
  const places = new VolumePlaces(join(parts.root, "volumes"))
  const mounts = new VolumeMounts({
    places,
    internalCommand,
    limit: parts.mountLimit,
    isRunning: (volume) => {
      const name = rows.byId(volume.id)?.name ?? volume.name
      return users(name).some(({ Running }) => Running)
    },
    current: (id) => rows.byId(id),
    grown: (volume) => {
      const { record } = rows.byId(volume.id) ?? volume
      if (record.limit === undefined) return
      const { growing: _done, ...limit } = record.limit
      rows.amend(volume.id, { record: { ...record, limit } })
    },
  })
  return new LocalVolumes({ rows, snapshots: new VolumeSnapshots(database), places, mounts, events, usedBy, users })
}
