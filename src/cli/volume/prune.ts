// dhow volume prune: removes volumes that no container uses; named ones only with -a.
import { checkFilter, parseFilters } from "../../client/filters.ts"
import { pruneVolumes } from "../../client/system.ts"
import { defineCommand } from "../command.ts"
import { boolean, list } from "../flags/flags.ts"
import { print } from "../output.ts"
import { confirm } from "../prompt.ts"
import { humanSize } from "../render/human.ts"

export const prune = defineCommand({
  usage: "[OPTIONS]",
  summary: "Remove unused volumes",
  flags: {
    all: boolean("a", "Remove all unused volumes, not just anonymous ones"),
    filter: list("", "Remove only what matches (label=x)", { value: "filter", check: checkFilter }),
    force: boolean("f", "Do not ask"),
  } as const,
  args: [0, 0],
  async run({ client }, flags) {
    const filters = parseFilters(flags.filter)
    if (flags.all === true) filters["all"] = ["true"]
    const what = flags.all === true ? "all" : "anonymous"
    if (
      flags.force !== true &&
      !(await confirm(`WARNING! This will remove ${what} local volumes not used by at least one container.`))
    )
      return 0
    const { VolumesDeleted, SpaceReclaimed } = await pruneVolumes(client, filters)
    const deleted = VolumesDeleted ?? []
    if (deleted.length > 0) print(`Deleted Volumes:\n${deleted.join("\n")}\n`)
    print(`Total reclaimed space: ${humanSize(deleted.length > 0 ? SpaceReclaimed : 0)}`)
    return 0
  },
})
