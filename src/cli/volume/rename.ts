// dhow volume rename: another name for the same volume. Containers that mount it go on with it.
import { renameVolume } from "../../client/volumes.ts"
import { defineCommand } from "../command.ts"
import { print } from "../output.ts"

export const rename = defineCommand({
  usage: "VOLUME NEW_NAME",
  summary: "Rename a volume, also one in use",
  flags: {},
  args: [2, 2],
  async run({ client }, _flags, [name = "", to = ""]) {
    print((await renameVolume(client, name, to)).Name)
    return 0
  },
})
