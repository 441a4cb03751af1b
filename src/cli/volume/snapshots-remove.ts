// dhow volume snapshots rm: forgets snapshots of a volume.
import { removeVolumeSnapshot } from "../../client/volumes.ts"
import { defineCommand } from "../command.ts"
import { forEachName } from "../sequence.ts"

export const snapshotsRemove = defineCommand({
  usage: "VOLUME SNAPSHOT [SNAPSHOT...]",
  summary: "Remove snapshots of a volume",
  flags: {},
  args: [2, Number.POSITIVE_INFINITY],
  run: ({ client }, _flags, [volume = "", ...names]) =>
    forEachName(names, async (name) => {
      await removeVolumeSnapshot(client, volume, name)
      return name
    }),
})
