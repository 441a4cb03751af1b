// dhow registry gc: gives up what nothing needs, and says what and why.
import { collectRegistry } from "../../client/registry-server.ts"
import { defineCommand } from "../command.ts"
import { boolean, string } from "../flags/flags.ts"
import { print } from "../output.ts"
import { humanSize } from "../render/human.ts"
import { type Columns, showRows } from "../render/rows.ts"
import { checkAge, parseAge } from "./age.ts"

const COLUMNS: Columns = {
  headers: { Kind: "KIND", Name: "NAME", Size: "SIZE", Reason: "REASON" },
  shown: ["Kind", "Name", "Size", "Reason"],
}

export const gc = defineCommand({
  usage: "[OPTIONS]",
  summary: "Remove what nothing in the registry needs, and what retention ends",
  flags: {
    "dry-run": boolean("", "Only show what would go"),
    format: string("", "Print each with a Go template, or 'table', 'json'"),
    grace: string("", "Leave what was touched within this time (default 1h, uploads 24h)", {
      value: "duration",
      check: checkAge,
    }),
    untagged: boolean("", "Also manifests without a tag"),
  } as const,
  args: [0, 0],
  examples: ["dhow registry gc --dry-run", "dhow registry gc --untagged --grace 10m"],
  async run({ client }, flags) {
    const dryRun = flags["dry-run"] === true
    const { removed, spaceReclaimed } = await collectRegistry(client, {
      dryRun,
      untagged: flags.untagged === true,
      ...(flags.grace === undefined ? {} : { grace: parseAge(flags.grace) }),
    })
    const rows = removed.map(({ kind, name, size, reason }) => ({
      Kind: kind,
      Name: name,
      Size: humanSize(size),
      Reason: reason,
    }))
    if (flags.format !== undefined || rows.length > 0)
      await showRows(rows, { columns: COLUMNS, format: flags.format ?? "" })
    if (flags.format !== undefined && flags.format !== "table") return 0
    print(`${dryRun ? "Space that would be reclaimed" : "Total reclaimed space"}: ${humanSize(spaceReclaimed)}`)
    return 0
  },
})
