// dhow rename: gives a container another name.
import { renameContainer } from "../../client/containers.ts"
import { DhowError } from "../../lib/errors.ts"
import { defineCommand } from "../command.ts"

export const rename = defineCommand({
  usage: "CONTAINER NEW_NAME",
  summary: "Rename a container",
  flags: {},
  args: [2, 2],
  async run({ client }, _flags, [name = "", newName = ""]) {
    if (name.trim() === "" || newName.trim() === "")
      throw new DhowError("invalid", "Neither the old nor the new name of a container may be empty")
    await renameContainer(client, name.trim(), newName.trim())
    return 0
  },
})
