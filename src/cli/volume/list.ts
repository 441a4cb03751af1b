// dhow volume ls: the volumes as a table, names, or what a template says.
import { checkFilter, parseFilters } from "../../client/filters.ts"
import { listVolumes } from "../../client/system.ts"
import { volumeDetails } from "../../client/volumes.ts"
import type { VolumeDetail, VolumeInspect } from "../../wire/system.ts"
import { defineCommand } from "../command.ts"
import { boolean, list as listFlag, string } from "../flags/flags.ts"
import { humanSize, timeAgo } from "../render/human.ts"
import { labelsText, type Row, showRows } from "../render/rows.ts"

export const VOLUME_HEADERS = {
  Driver: "DRIVER",
  Name: "VOLUME NAME",
  Scope: "SCOPE",
  Mountpoint: "MOUNTPOINT",
  Labels: "LABELS",
  Links: "LINKS",
  Size: "SIZE",
  Limit: "LIMIT",
  UsedBy: "USED BY",
  LastUsed: "LAST USED",
  Snapshots: "SNAPSHOTS",
  ID: "VOLUME ID",
} as const

export const list = defineCommand({
  usage: "[OPTIONS]",
  summary: "List volumes",
  flags: {
    filter: listFlag("f", "Show only what matches (dangling=true, name=x)", { value: "filter", check: checkFilter }),
    format: string("", "Print each with a Go template, or 'table', 'json'"),
    quiet: boolean("q", "Only print names"),
    size: boolean("s", "Also show sizes, limits, who uses them and when they were used"),
  } as const,
  args: [0, 0],
  async run({ client }, flags) {
    const filters = parseFilters(flags.filter)
    const detailed = flags.size === true
    const rows = detailed
      ? (await volumeDetails(client, filters)).map(detailRow)
      : ((await listVolumes(client, filters)).Volumes ?? []).map(volumeRow)
    const sorted = rows.sort((a, b) => (String(a["Name"]) < String(b["Name"]) ? -1 : 1))
    const more = detailed ? ["Size", "Limit", "UsedBy", "LastUsed", "Snapshots"] : []
    await showRows(sorted, {
      columns: { headers: VOLUME_HEADERS, shown: ["Driver", "Name", ...more] },
      format: flags.format ?? "",
      quiet: flags.quiet === true ? "Name" : undefined,
    })
    return 0
  },
})

export function volumeRow(volume: VolumeInspect): Row {
  return {
    Availability: "N/A",
    Driver: volume.Driver,
    Group: "N/A",
    ID: volume.Id ?? "",
    Label: (name: unknown) => volume.Labels?.[String(name)] ?? "",
    Labels: labelsText(volume.Labels),
    Links: volume.UsageData === undefined ? "N/A" : String(volume.UsageData.RefCount),
    Mountpoint: volume.Mountpoint,
    Name: volume.Name,
    Scope: volume.Scope,
    Size: volume.UsageData === undefined ? "N/A" : humanSize(volume.UsageData.Size),
    Status: "N/A",
  }
}

function detailRow(volume: VolumeDetail): Row {
  const { Bytes, Limit, UsedBy, LastUsedAt, Snapshots } = volume
  const inUse = UsedBy.some(({ Running }) => Running)
  return {
    ...volumeRow(volume),
    Size: Bytes === null ? "-" : humanSize(Bytes),
    Limit: Limit === null ? "-" : humanSize(Limit),
    UsedBy: UsedBy.map(({ Name }) => Name).join(",") || "-",
    LastUsed: inUse ? "now" : LastUsedAt === null ? "never" : timeAgo(Date.parse(LastUsedAt) / 1000),
    Snapshots: Snapshots.length,
  }
}
