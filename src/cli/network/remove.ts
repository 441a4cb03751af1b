// dhow network rm: removes networks that no container is on.
import { removeNetwork } from "../../client/networks.ts"
import { isKind } from "../../lib/errors.ts"
import { defineCommand } from "../command.ts"
import { boolean } from "../flags/flags.ts"
import { forEachName } from "../sequence.ts"

export const remove = defineCommand({
  usage: "[OPTIONS] NETWORK [NETWORK...]",
  summary: "Remove one or more networks",
  flags: { force: boolean("f", "Ignore networks that do not exist") } as const,
  args: [1, Number.POSITIVE_INFINITY],
  run: ({ client }, flags, names) =>
    forEachName(names, async (name) => {
      try {
        await removeNetwork(client, name)
      } catch (error) {
        if (flags.force !== true || !isKind(error, "not-found")) throw error
      }
      return name
    }),
})
