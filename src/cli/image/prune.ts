// dhow image prune: removes images without a name, or with -a all that no container uses.
import { checkFilter, parseFilters } from "../../client/filters.ts"
import { pruneImages } from "../../client/images.ts"
import { defineCommand } from "../command.ts"
import { boolean, list } from "../flags/flags.ts"
import { print } from "../output.ts"
import { confirm } from "../prompt.ts"
import { humanSize } from "../render/human.ts"

const WARNINGS = {
  all: "WARNING! This will remove all images without at least one container associated to them.",
  dangling: "WARNING! This will remove all dangling images.",
} as const

export const prune = defineCommand({
  usage: "[OPTIONS]",
  summary: "Remove unused images",
  flags: {
    all: boolean("a", "Remove all unused images, not just those without a name"),
    filter: list("", "Remove only what matches (until=24h, label=x)", { value: "filter", check: checkFilter }),
    force: boolean("f", "Do not ask"),
  } as const,
  args: [0, 0],
  async run({ client }, flags) {
    const all = flags.all === true
    if (flags.force !== true && !(await confirm(all ? WARNINGS.all : WARNINGS.dangling))) return 1
    const filters = { ...parseFilters(flags.filter), dangling: [String(!all)] }
    const { ImagesDeleted, SpaceReclaimed } = await pruneImages(client, filters)
    const deleted = (ImagesDeleted ?? []).map((entry) =>
      "Untagged" in entry && entry.Untagged
        ? `untagged: ${entry.Untagged}`
        : `deleted: ${"Deleted" in entry ? entry.Deleted : ""}`,
    )
    if (deleted.length > 0) print(`Deleted Images:\n${deleted.join("\n")}\n`)
    print(`Total reclaimed space: ${humanSize(deleted.length > 0 ? SpaceReclaimed : 0)}`)
    return 0
  },
})
