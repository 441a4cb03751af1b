// dhow volume rm: removes volumes and what is in them.
import { removeVolume } from "../../client/system.ts"
import { defineCommand } from "../command.ts"
import { boolean } from "../flags/flags.ts"
import { forEachName } from "../sequence.ts"

export const remove = defineCommand({
  usage: "[OPTIONS] VOLUME [VOLUME...]",
  summary: "Remove one or more volumes",
  flags: { force: boolean("f", "Ignore volumes that do not exist") } as const,
  args: [1, Number.POSITIVE_INFINITY],
  run: ({ client }, flags, names) =>
    forEachName(names, async (name) => {
      await removeVolume(client, name, flags.force === true)
      return name
    }),
})
