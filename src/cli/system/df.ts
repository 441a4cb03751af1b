// dhow system df: what images, containers, volumes and build cache take up, in sum or one by one.

import type { Client } from "../../client/client.ts"
import { diskMap, diskUsage } from "../../client/system.ts"
import { isKind } from "../../lib/errors.ts"
import type { Value } from "../../lib/template/nodes.ts"
import type { DiskMap } from "../../wire/disk.ts"
import type { DiskUsage } from "../../wire/system.ts"
import { defineCommand } from "../command.ts"
import { CONTAINER_HEADERS, containerRow } from "../container/row.ts"
import { boolean, string } from "../flags/flags.ts"
import { IMAGE_HEADERS, imageRows } from "../image/list.ts"
import { print, writeAll } from "../output.ts"
import { humanSize, timeAgo } from "../render/human.ts"
import { type Columns, type Row, showRows } from "../render/rows.ts"
import { VOLUME_HEADERS, volumeRow } from "../volume/list.ts"

const TOTALS: Columns = {
  headers: { Type: "TYPE", TotalCount: "TOTAL", Active: "ACTIVE", Size: "SIZE", Reclaimable: "RECLAIMABLE" },
  shown: ["Type", "TotalCount", "Active", "Size", "Reclaimable"],
}
const IMAGES: Columns = {
  headers: IMAGE_HEADERS,
  shown: ["Repository", "Tag", "ID", "CreatedSince", "Size", "SharedSize", "UniqueSize", "Containers"],
}
const CONTAINERS: Columns = {
  headers: CONTAINER_HEADERS,
  shown: ["ID", "Image", "Command", "LocalVolumes", "Size", "RunningFor", "Status", "Names"],
}
const VOLUMES: Columns = { headers: VOLUME_HEADERS, shown: ["Name", "Links", "Size"] }
const BUILD_CACHE: Columns = {
  headers: {
    ID: "CACHE ID",
    CacheType: "CACHE TYPE",
    Size: "SIZE",
    CreatedSince: "CREATED",
    LastUsedSince: "LAST USED",
    UsageCount: "USAGE",
    Shared: "SHARED",
  },
  shown: ["ID", "CacheType", "Size", "CreatedSince", "LastUsedSince", "UsageCount", "Shared"],
}

export const df = defineCommand({
  usage: "[OPTIONS]",
  summary: "Show what takes up the disk",
  flags: {
    format: string("", "Print each with a Go template, or 'table', 'json'"),
    verbose: boolean("v", "Show images, containers, volumes and build cache one by one"),
  } as const,
  args: [0, 0],
  examples: ["dhow system df", "dhow system df -v", "dhow system df --format '{{.Type}}: {{.Size}}'"],
  async run({ client }, flags) {
    const usage = await diskUsage(client)
    const format = flags.format ?? ""
    // Formats are scripts', which know Docker's rows.
    const logs = format === "" && flags.verbose !== true ? await logTotals(client) : []
    if (flags.verbose !== true) await showRows([...totals(usage), ...logs], { columns: TOTALS, format })
    else {
      await showEach(usage, format)
      if (format === "" || format === "table") await showMap(await diskMap(client))
    }
    return 0
  },
})

/** What Docker does not tell: every byte, and whose it is. */
async function showMap(map: DiskMap): Promise<void> {
  const { MAP_COLUMNS, mapRows } = await import("./disk-map.ts")
  writeAll(1, `\nSpace on the disk: ${humanSize(map.Total)} in ${map.Root}\n\n`)
  await showRows(mapRows(map), { columns: MAP_COLUMNS, format: "" })
}

async function showEach(usage: DiskUsage, format: string): Promise<void> {
  const isTable = format === "" || format === "table"
  const rows = rowsOf(usage, isTable)
  if (!isTable) {
    const { compileTemplate } = await import("../../lib/template/evaluate.ts")
    print(compileTemplate(format === "json" ? "{{json .}}" : format)(rows as unknown as Value))
    return
  }
  const section = async (title: string, list: readonly Row[], columns: Columns): Promise<void> => {
    writeAll(1, `${title}\n\n`)
    await showRows(list, { columns, format: "" })
  }
  await section("Images space usage:", rows.Images, IMAGES)
  await section("\nContainers space usage:", rows.Containers, CONTAINERS)
  await section("\nLocal Volumes space usage:", rows.Volumes, VOLUMES)
  await section(`\nBuild cache usage: ${humanSize(cacheSize(usage))}`, rows.BuildCache, BUILD_CACHE)
}

function rowsOf(
  usage: DiskUsage,
  truncate: boolean,
): Record<"Images" | "Containers" | "Volumes" | "BuildCache", Row[]> {
  const images = { truncate, digests: false, isDangling: false }
  return {
    // One row each, however many names an image has: it is on the disk once.
    Images: (usage.Images ?? []).flatMap((image) => imageRows(image, images).slice(0, 1)),
    Containers: (usage.Containers ?? []).map(({ SizeRootFs: _withImage, ...container }) =>
      containerRow(container, { truncate, size: true }),
    ),
    Volumes: (usage.Volumes ?? []).map(volumeRow),
    BuildCache: (usage.BuildCache ?? []).map((record) => ({
      CacheType: record.Type,
      CreatedSince: timeAgo(Date.parse(record.CreatedAt) / 1000),
      ID: truncate ? record.ID.slice(0, 12) : record.ID,
      InUse: String(record.InUse),
      LastUsedSince: record.LastUsedAt === null ? "" : timeAgo(Date.parse(record.LastUsedAt) / 1000),
      Shared: String(record.Shared),
      Size: humanSize(record.Size),
      UsageCount: String(record.UsageCount),
    })),
  }
}

function totals(usage: DiskUsage): Row[] {
  const { LayersSize, Images, Containers, Volumes, BuildCache } = usage
  const usedImages = (Images ?? []).filter((image) => image.Containers > 0)
  const containers = (Containers ?? []).map(({ State, SizeRw = 0 }) => ({
    inUse: State === "running" || State === "paused" || State === "restarting",
    size: SizeRw,
  }))
  const volumes = (Volumes ?? []).map(({ UsageData }) => ({
    inUse: (UsageData?.RefCount ?? 0) > 0,
    size: Math.max(0, UsageData?.Size ?? 0),
  }))
  const caches = (BuildCache ?? []).map(({ InUse, Shared, Size }) => ({ inUse: InUse, size: Shared ? 0 : Size }))
  return [
    {
      Type: "Images",
      TotalCount: String(Images?.length ?? 0),
      Active: String(usedImages.length),
      Size: humanSize(LayersSize),
      Reclaimable: share(LayersSize - sum(usedImages.map(({ Size, SharedSize }) => Size - SharedSize)), LayersSize),
    },
    total("Containers", containers),
    total("Local Volumes", volumes),
    total("Build Cache", caches),
  ]
}

/** What goes with `logs --clear`, `rm`, or its time. Docker's engine does not tell. */
async function logTotals(client: Client): Promise<Row[]> {
  const { logUsage } = await import("../../client/logs.ts")
  try {
    const { Containers, Kept } = await logUsage(client)
    const logs = [
      ...Containers.map(({ Running, Size }) => ({ inUse: Running, size: Size })),
      ...Kept.map(({ Size }) => ({ inUse: false, size: Size })),
    ]
    return [total("Logs", logs)]
  } catch (error) {
    if (isKind(error, "not-found")) return []
    throw error
  }
}

function total(Type: string, items: readonly { readonly inUse: boolean; readonly size: number }[]): Row {
  const size = sum(items.map((item) => item.size))
  const unused = items.filter(({ inUse }) => !inUse)
  const reclaimable = sum(unused.map((item) => item.size))
  return {
    Type,
    TotalCount: String(items.length),
    Active: String(items.length - unused.length),
    Size: humanSize(size),
    // Docker gives no share of the build cache.
    Reclaimable: Type === "Build Cache" ? humanSize(reclaimable) : share(reclaimable, size),
  }
}

function share(part: number, whole: number): string {
  return whole > 0 ? `${humanSize(part)} (${Math.trunc((part * 100) / whole)}%)` : humanSize(part)
}

function cacheSize({ BuildCache }: DiskUsage): number {
  return sum((BuildCache ?? []).filter(({ Shared }) => !Shared).map(({ Size }) => Size))
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}
