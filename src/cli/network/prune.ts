// dhow network prune: removes networks that no running container is on.
import { checkFilter, parseFilters } from "../../client/filters.ts"
import { pruneNetworks } from "../../client/networks.ts"
import { defineCommand } from "../command.ts"
import { boolean, list } from "../flags/flags.ts"
import { print } from "../output.ts"
import { confirm } from "../prompt.ts"

export const prune = defineCommand({
  usage: "[OPTIONS]",
  summary: "Remove all unused networks",
  flags: {
    filter: list("", "Remove only what matches (until=24h)", { value: "filter", check: checkFilter }),
    force: boolean("f", "Do not ask"),
  } as const,
  args: [0, 0],
  async run({ client }, flags) {
    const warning = "WARNING! This will remove all custom networks not used by at least one container."
    if (flags.force !== true && !(await confirm(warning))) return 0
    const { NetworksDeleted } = await pruneNetworks(client, parseFilters(flags.filter))
    const deleted = NetworksDeleted ?? []
    if (deleted.length > 0) print(`Deleted Networks:\n${deleted.join("\n")}\n`)
    return 0
  },
})
