// dhow volume ls: the volumes as a table, names, or what a template says.
import { checkFilter, parseFilters } from "../../client/filters.ts"
import { listVolumes } from "../../client/system.ts"
import type { VolumeInspect } from "../../wire/system.ts"
import { defineCommand } from "../command.ts"
import { boolean, list as listFlag, string } from "../flags/flags.ts"
import { humanSize } from "../render/human.ts"
import { labelsText, type Row, showRows } from "../render/rows.ts"

export const VOLUME_HEADERS = {
  Driver: "DRIVER",
  Name: "VOLUME NAME",
  Scope: "SCOPE",
  Mountpoint: "MOUNTPOINT",
  Labels: "LABELS",
  Links: "LINKS",
  Size: "SIZE",
} as const

export const list = defineCommand({
  usage: "[OPTIONS]",
  summary: "List volumes",
  flags: {
    filter: listFlag("f", "Show only what matches (dangling=true, name=x)", { value: "filter", check: checkFilter }),
    format: string("", "Print each with a Go template, or 'table', 'json'"),
    quiet: boolean("q", "Only print names"),
  } as const,
  args: [0, 0],
  async run({ client }, flags) {
    const { Volumes } = await listVolumes(client, parseFilters(flags.filter))
    const sorted = (Volumes ?? []).sort((a, b) => (a.Name < b.Name ? -1 : 1))
    await showRows(sorted.map(volumeRow), {
      columns: { headers: VOLUME_HEADERS, shown: ["Driver", "Name"] },
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
