// dhow system gc: collects what nothing needs, and images where the disk is fuller than the configuration allows;
// --dry-run says how full it is, what the policy is and which images would go.
import { collectGarbage, gcStatus } from "../../client/images.ts"
import { humanDuration } from "../../lib/human-duration.ts"
import type { GcReport, GcStatus } from "../../wire/disk.ts"
import { defineCommand } from "../command.ts"
import { boolean, string } from "../flags/flags.ts"
import { PLAN_COLUMNS, planRows } from "../image/prune-plan.ts"
import { print } from "../output.ts"
import { humanSize, timeAgo } from "../render/human.ts"

export const gc = defineCommand({
  usage: "[OPTIONS]",
  summary: "Collect garbage, and images where the disk is too full",
  flags: {
    "dry-run": boolean("", "Only show how full the disk is, and what would be removed"),
    format: string("", "'json' for the whole answer", { check: onlyJson }),
  } as const,
  args: [0, 0],
  examples: ["dhow system gc --dry-run", "dhow system gc"],
  async run({ client }, flags) {
    if (flags["dry-run"] === true) {
      const status = await gcStatus(client)
      if (flags.format === "json") print(JSON.stringify(status))
      else await showStatus(status)
      return 0
    }
    const report = await collectGarbage(client)
    if (flags.format === "json") print(JSON.stringify(report))
    else showReport(report)
    return 0
  },
})

function onlyJson(value: string): string {
  if (value !== "json") throw new Error(`invalid format "${value}": expected json`)
  return value
}

async function showStatus({ Policy, Used, Total, LastRun, Images }: GcStatus): Promise<void> {
  print(`Disk:     ${fill({ Used, Total })}`)
  if (Policy === null) {
    print('Policy:   none ("gc" in the configuration); images are only removed when asked')
    return
  }
  const { Max, Floor, UnusedMilliseconds, KeepLast, Protect } = Policy
  const spared = [
    `used within ${humanDuration(UnusedMilliseconds / 1000)}`,
    ...(KeepLast > 0 ? [`the ${KeepLast} newest of a repository`] : []),
    ...Protect.map((label) => `labelled ${label}`),
  ]
  print(`Policy:   above ${share(Max)} down to ${share(Floor)}, never what is in use, ${spared.join(", ")}`)
  if (LastRun !== null)
    print(
      `Last run: ${timeAgo(Date.parse(LastRun.At) / 1000)}, ${LastRun.Removed.length} images, ${humanSize(LastRun.SpaceReclaimed)}`,
    )
  if (Images.length === 0) return
  const { showRows } = await import("../render/rows.ts")
  print("")
  await showRows(planRows({ Images, SpaceReclaimable: 0 }, true), { columns: PLAN_COLUMNS, format: "" })
}

function showReport({ Removed, SpaceReclaimed, Used, Total }: GcReport): void {
  for (const { Id, Names, Digests, Freed, Reason } of Removed)
    print(`removed: ${Names[0] ?? Digests[0] ?? Id} (${humanSize(Freed)}, ${Reason})`)
  print(`Total reclaimed space: ${humanSize(SpaceReclaimed)}`)
  print(`Disk: ${fill({ Used, Total })}`)
}

function fill({ Used, Total }: Pick<GcStatus, "Used" | "Total">): string {
  return `${humanSize(Used)} of ${humanSize(Total)} used (${Total === 0 ? 100 : Math.ceil((Used * 100) / Total)}%)`
}

function share(part: number): string {
  return `${Math.round(part * 1000) / 10}%`
}
