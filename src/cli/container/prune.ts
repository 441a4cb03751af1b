// dhow container prune: removes all containers that do not run.
import { pruneContainers } from "../../client/containers.ts"
import { checkFilter, parseFilters } from "../../client/filters.ts"
import { defineCommand } from "../command.ts"
import { boolean, list } from "../flags/flags.ts"
import { print } from "../output.ts"
import { confirm } from "../prompt.ts"
import { humanSize } from "../render/human.ts"

export const prune = defineCommand({
  usage: "[OPTIONS]",
  summary: "Remove all stopped containers",
  flags: {
    filter: list("", "Remove only what matches (until=24h, label=x)", { value: "filter", check: checkFilter }),
    force: boolean("f", "Do not ask"),
  } as const,
  args: [0, 0],
  async run({ client }, flags) {
    if (flags.force !== true && !(await confirm("WARNING! This will remove all stopped containers."))) return 0
    const { ContainersDeleted, SpaceReclaimed } = await pruneContainers(client, parseFilters(flags.filter))
    const deleted = ContainersDeleted ?? []
    if (deleted.length > 0) print(`Deleted Containers:\n${deleted.join("\n")}\n`)
    print(`Total reclaimed space: ${humanSize(deleted.length > 0 ? SpaceReclaimed : 0)}`)
    return 0
  },
})
