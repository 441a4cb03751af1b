// dhow volume snapshot: the files of a volume as they are now, kept beside it.
import { snapshotVolume } from "../../client/volumes.ts"
import { defineCommand } from "../command.ts"
import { boolean } from "../flags/flags.ts"
import { print } from "../output.ts"
import { followCopy } from "./copy-progress.ts"

export const snapshot = defineCommand({
  usage: "[OPTIONS] VOLUME [SNAPSHOT]",
  summary: "Keep the files of a volume as they are now",
  flags: {
    pause: boolean("", "Pause containers that write to it, for a copy of one moment"),
  } as const,
  args: [1, 2],
  examples: ["dhow volume snapshot data before-upgrade", "dhow volume restore data before-upgrade"],
  async run({ client }, flags, [volume = "", name]) {
    const outcome = await followCopy(await snapshotVolume(client, volume, { name, pause: flags.pause === true }))
    if ("Snapshot" in outcome) print(outcome.Snapshot.Name)
    return 0
  },
})
