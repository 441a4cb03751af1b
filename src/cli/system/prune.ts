// dhow system prune: stopped containers, unused networks, images and build cache, with --volumes anonymous volumes too,
// in Docker's order and words.
import { pruneContainers } from "../../client/containers.ts"
import { checkFilter, parseFilters } from "../../client/filters.ts"
import { pruneImages } from "../../client/images.ts"
import { pruneNetworks } from "../../client/networks.ts"
import { pruneBuildCache, pruneVolumes } from "../../client/system.ts"
import { defineCommand } from "../command.ts"
import { boolean, list } from "../flags/flags.ts"
import { deletedImages, reclaimedBy } from "../image/prune.ts"
import { print, printError, writeAll } from "../output.ts"
import { confirm } from "../prompt.ts"
import { humanSize } from "../render/human.ts"

export const prune = defineCommand({
  usage: "[OPTIONS]",
  summary: "Remove unused data",
  flags: {
    all: boolean("a", "Remove all unused images not just dangling ones"),
    filter: list("", "Remove only what matches (until=24h, label=x)", { value: "filter", check: checkFilter }),
    force: boolean("f", "Do not ask"),
    volumes: boolean("", "Prune anonymous volumes"),
  } as const,
  args: [0, 0],
  examples: ["dhow system prune", "dhow system prune -af --volumes", "dhow system prune --filter until=240h"],
  async run({ client }, flags) {
    const all = flags.all === true
    const volumes = flags.volumes === true
    const filters = parseFilters(flags.filter)
    if (volumes && filters["until"] !== undefined) {
      printError('ERROR: The "until" filter is not supported with "--volumes"')
      return 1
    }
    if (flags.force !== true && !(await confirm(warning({ all, volumes, filters })))) return 0

    let reclaimed = 0
    const tell = (title: string, names: readonly string[] | null, bytes: number): void => {
      if (names !== null && names.length > 0) writeAll(1, `${title}:\n${names.join("\n")}\n\n`)
      reclaimed += names === null || names.length === 0 ? 0 : bytes
    }
    const containers = await pruneContainers(client, filters)
    tell("Deleted Containers", containers.ContainersDeleted, containers.SpaceReclaimed)
    const { NetworksDeleted } = await pruneNetworks(client, filters)
    tell("Deleted Networks", NetworksDeleted, 0)
    if (volumes) {
      const pruned = await pruneVolumes(client, filters)
      tell("Deleted Volumes", pruned.VolumesDeleted, pruned.SpaceReclaimed)
    }
    const images = await pruneImages(client, { ...filters, dangling: [String(!all)] })
    writeAll(1, deletedImages(images))
    reclaimed += reclaimedBy(images)
    const caches = await pruneBuildCache(client, { all, filters })
    tell("Deleted build cache objects", caches.CachesDeleted, 0)
    reclaimed += caches.SpaceReclaimed
    print(`Total reclaimed space: ${humanSize(reclaimed)}`)
    return 0
  },
})

type Asked = {
  readonly all: boolean
  readonly volumes: boolean
  readonly filters: Readonly<Record<string, readonly string[]>>
}

function warning({ all, volumes, filters }: Asked): string {
  const what = [
    "all stopped containers",
    "all networks not used by at least one container",
    ...(volumes ? ["all anonymous volumes not used by at least one container"] : []),
    all ? "all images without at least one container associated to them" : "all dangling images",
    all ? "all build cache" : "unused build cache",
  ]
  const given = ["label", "label!", "until"]
    .flatMap((name) => (filters[name] ?? []).map((value) => `${name}=${value}`))
    .sort((a, b) => (a < b ? -1 : 1))
  const items = (lines: readonly string[]): string => lines.map((line) => `\n  - ${line}`).join("")
  const filtered = given.length === 0 ? "" : `\n  Items to be pruned will be filtered with:${items(given)}\n`
  return `WARNING! This will remove:${items(what)}\n${filtered}`
}
