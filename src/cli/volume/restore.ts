// dhow volume restore: a volume gets the files of one of its snapshots.
import { restoreVolume } from "../../client/volumes.ts"
import { defineCommand } from "../command.ts"
import { print } from "../output.ts"
import { followCopy } from "./copy-progress.ts"

export const restore = defineCommand({
  usage: "VOLUME SNAPSHOT",
  summary: "Give a volume the files of one of its snapshots",
  flags: {},
  args: [2, 2],
  async run({ client }, _flags, [volume = "", snapshot = ""]) {
    await followCopy(await restoreVolume(client, volume, snapshot))
    print(volume)
    return 0
  },
})
