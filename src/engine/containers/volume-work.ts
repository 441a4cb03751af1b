// Where work on volumes meets the containers that mount them: these are paused for it, and learn new names.
import type { VolumeWork } from "../contract.ts"
import { openVolumeWork } from "../volumes/work.ts"
import { holdWritersStill } from "./hold-still.ts"
import type { ContainerParts } from "./parts.ts"
import { renameVolumeInContainers } from "./rename-volume.ts"

export function volumeWorkOf(parts: ContainerParts): VolumeWork {
  return openVolumeWork({
    volumes: parts.volumes,
    copies: parts.copies,
    holdStill: ({ name }) => holdWritersStill(parts, name),
    renameInContainers: (from, to, together) => renameVolumeInContainers(parts, { from, to }, together),
  })
}
