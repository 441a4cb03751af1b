// dhow volume snapshots ls: the snapshots of a volume, oldest first.
import { listVolumeSnapshots } from "../../client/volumes.ts"
import { defineCommand } from "../command.ts"
import { boolean, string } from "../flags/flags.ts"
import { humanSize, timeAgo } from "../render/human.ts"
import { showRows } from "../render/rows.ts"

export const snapshotsList = defineCommand({
  usage: "[OPTIONS] VOLUME",
  summary: "List the snapshots of a volume",
  flags: {
    format: string("", "Print each with a Go template, or 'table', 'json'"),
    quiet: boolean("q", "Only print names"),
  } as const,
  args: [1, 1],
  async run({ client }, flags, [volume = ""]) {
    const rows = (await listVolumeSnapshots(client, volume)).map(({ Name, CreatedAt, Files, Bytes }) => ({
      Name,
      CreatedAt,
      Created: timeAgo(Date.parse(CreatedAt) / 1000),
      Files,
      Size: humanSize(Bytes),
    }))
    await showRows(rows, {
      columns: {
        headers: { Name: "SNAPSHOT", Created: "CREATED", Files: "FILES", Size: "SIZE", CreatedAt: "CREATED AT" },
        shown: ["Name", "Created", "Files", "Size"],
      },
      format: flags.format ?? "",
      quiet: flags.quiet === true ? "Name" : undefined,
    })
    return 0
  },
})
