// What the use-cases of volumes are made of.
import type { VolumeUser } from "../../wire/system.ts"
import type { EventLog } from "../events.ts"
import type { VolumeMounts } from "./mounts.ts"
import type { VolumePlaces } from "./places.ts"
import type { VolumeRows } from "./rows.ts"
import type { VolumeSnapshots } from "./snapshot-rows.ts"

export type VolumeParts = {
  readonly rows: VolumeRows
  readonly snapshots: VolumeSnapshots
  readonly places: VolumePlaces
  readonly mounts: VolumeMounts
  readonly events: EventLog
  /** Ids of the containers that mount a volume; the containers own that knowledge. */
  readonly usedBy: (name: string) => readonly string[]
  readonly users: (name: string) => readonly VolumeUser[]
}
