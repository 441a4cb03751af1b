// dhow image prune: removes images without a name, or with -a all that no container uses; --dry-run says which and why.
import { checkFilter, parseFilters } from "../../client/filters.ts"
import { planImagePrune, pruneImages } from "../../client/images.ts"
import type { PrunePlan } from "../../wire/disk.ts"
import { defineCommand } from "../command.ts"
import { boolean, int, list, string } from "../flags/flags.ts"
import { print, printError } from "../output.ts"
import { confirm } from "../prompt.ts"
import { humanSize } from "../render/human.ts"
import { PLAN_COLUMNS, planRows } from "./prune-plan.ts"

const WARNINGS = {
  all: "WARNING! This will remove all images without at least one container associated to them.",
  dangling: "WARNING! This will remove all dangling images.",
} as const

export const prune = defineCommand({
  usage: "[OPTIONS]",
  summary: "Remove unused images",
  flags: {
    all: boolean("a", "Remove all unused images, not just those without a name"),
    "dry-run": boolean("", "Only show what would be removed, and why"),
    filter: list("", "Remove only what matches (until=24h, unused=14d, keep=3, label=x, label!=x)", {
      value: "filter",
      check: checkFilter,
    }),
    force: boolean("f", "Do not ask"),
    format: string("", "With --dry-run: print each with a Go template, or 'table', 'json'"),
    "keep-last": int("", "Keep so many images of each repository, the newest"),
  } as const,
  args: [0, 0],
  examples: [
    "dhow image prune",
    "dhow image prune -a --filter unused=14d --dry-run",
    "dhow image prune -af --filter unused=4w --keep-last 3",
  ],
  async run({ client }, flags) {
    const all = flags.all === true
    const keep = flags["keep-last"]
    const filters: Record<string, readonly string[]> = {
      ...parseFilters(flags.filter),
      dangling: [String(!all)],
      ...(keep === undefined ? {} : { keep: [String(keep)] }),
    }
    if (flags["dry-run"] === true) {
      await showPlan(await planImagePrune(client, filters), flags.format ?? "")
      return 0
    }
    if (flags.format !== undefined) {
      printError("dhow image prune: --format is for --dry-run")
      return 125
    }
    if (flags.force !== true && !(await confirm(all ? WARNINGS.all : WARNINGS.dangling))) return 0
    print(report(await pruneImages(client, filters)))
    return 0
  },
})

type Report = Awaited<ReturnType<typeof pruneImages>>

function report(pruned: Report): string {
  return `${deletedImages(pruned)}Total reclaimed space: ${humanSize(reclaimedBy(pruned))}`
}

/** Docker's list of what went, with an empty line behind it; nothing where nothing went. */
export function deletedImages({ ImagesDeleted }: Report): string {
  const deleted = (ImagesDeleted ?? []).map((entry) =>
    "Untagged" in entry && entry.Untagged
      ? `untagged: ${entry.Untagged}`
      : `deleted: ${"Deleted" in entry ? entry.Deleted : ""}`,
  )
  return deleted.length > 0 ? `Deleted Images:\n${deleted.join("\n")}\n\n` : ""
}

export function reclaimedBy({ ImagesDeleted, SpaceReclaimed }: Report): number {
  return (ImagesDeleted ?? []).length > 0 ? SpaceReclaimed : 0
}

async function showPlan(plan: PrunePlan, format: string): Promise<void> {
  const isTable = format === "" || format === "table"
  const { showRows } = await import("../render/rows.ts")
  await showRows(planRows(plan, isTable), { columns: PLAN_COLUMNS, format })
  if (isTable) print(`\nTotal reclaimable space: ${humanSize(plan.SpaceReclaimable)}`)
}
