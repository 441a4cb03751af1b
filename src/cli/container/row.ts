// A container as a row of `ps`, with the fields that docker's templates know.
import { formatPlatform, hostPlatform, samePlatform } from "../../oci/platform.ts"
import type { ContainerSummary, SummaryPort } from "../../wire/container.ts"
import type { Usage } from "../../wire/exit.ts"
import { binarySize, ellipsis, formatTime, humanSize, shortId, timeAgo } from "../render/human.ts"
import { type Columns, labelsText, type Row } from "../render/rows.ts"
import { spanText, usageText } from "../render/usage.ts"

export const CONTAINER_HEADERS = {
  ID: "CONTAINER ID",
  Names: "NAMES",
  Image: "IMAGE",
  Command: "COMMAND",
  CreatedAt: "CREATED AT",
  RunningFor: "CREATED",
  Ports: "PORTS",
  State: "STATE",
  Status: "STATUS",
  Size: "SIZE",
  Labels: "LABELS",
  Mounts: "MOUNTS",
  LocalVolumes: "LOCAL VOLUMES",
  Networks: "NETWORKS",
  Platform: "PLATFORM",
  PlatformNote: "PLATFORM",
  Usage: "USAGE",
  WallTime: "WALL TIME",
  CPUTime: "CPU TIME",
  MemoryPeak: "MEMORY PEAK",
} as const

/** `platforms`: whether some are of another platform than this host's. */
export function containerColumns(size: boolean, platforms = false): Columns {
  const shown = [
    "ID",
    "Image",
    ...(platforms ? ["PlatformNote"] : []),
    "Command",
    "RunningFor",
    "Status",
    "Ports",
    "Names",
    ...(size ? ["Size"] : []),
  ]
  return { headers: CONTAINER_HEADERS, shown }
}

export function containerRow(container: ContainerSummary, options: { truncate: boolean; size: boolean }): Row {
  const { truncate } = options
  const names = container.Names.map((name) => name.replace(/^\//, ""))
  // A name with a slash is a link's: "web/db" names the container from within another.
  const own = truncate ? names.find((name) => !name.includes("/")) : undefined
  const command = JSON.stringify(truncate ? ellipsis(container.Command, 20) : container.Command)
  const mounts = container.Mounts.map((mount) => mount.Name || mount.Source)
  return {
    Command: command,
    // Only when it is shown: the first use of the local time zone costs more than the whole request.
    get CreatedAt() {
      return formatTime(container.Created)
    },
    ID: truncate ? shortId(container.Id) : container.Id,
    Image: imageName(container, truncate),
    Labels: labelsText(container.Labels),
    Label: (name: unknown) => container.Labels?.[String(name)] ?? "",
    LocalVolumes: String(container.Mounts.filter((mount) => mount.Driver === "local").length),
    Mounts: mounts.map((mount) => (truncate ? ellipsis(mount, 15) : mount)).join(","),
    Names: own ?? names.join(","),
    Networks: Object.keys(container.NetworkSettings?.Networks ?? {}).join(","),
    Platform: platformName(container) ?? null,
    PlatformNote: `${platformName(container) ?? ""}${container.Emulated === true ? " (emulated)" : ""}`,
    Ports: displayPorts(container.Ports),
    RunningFor: timeAgo(container.Created),
    Size: sizeText(container),
    State: container.State,
    Status: container.Status,
    ...usageFields(container.Usage),
  }
}

/** Of the last run, once it has ended; empty before that. */
function usageFields(usage: Usage | undefined): Row {
  return {
    Usage: usage === undefined ? "" : usageText(usage),
    WallTime: usage?.WallTime === undefined ? "" : spanText(usage.WallTime),
    CPUTime: usage?.CPUTime === undefined ? "" : spanText(usage.CPUTime),
    MemoryPeak: usage?.MemoryPeak === undefined ? "" : binarySize(usage.MemoryPeak, 3),
  }
}

/** Known to newer daemons only. */
function platformName({ ImageManifestDescriptor }: ContainerSummary): string | undefined {
  const platform = ImageManifestDescriptor?.platform
  return platform === undefined ? undefined : formatPlatform(platform)
}

export function isForeign({ ImageManifestDescriptor }: ContainerSummary): boolean {
  const platform = ImageManifestDescriptor?.platform
  return platform !== undefined && !samePlatform(platform, hostPlatform())
}

function imageName(container: ContainerSummary, truncate: boolean): string {
  if (container.Image === "") return "<no image>"
  if (!truncate) return container.Image
  const bare = container.ImageID.replace(/^sha256:/, "")
  const isId = container.Image.replace(/^sha256:/, "") === bare
  return isId ? shortId(container.ImageID) : container.Image.replace(/@sha256:[0-9a-f]+$/, "")
}

function sizeText(container: ContainerSummary): string {
  const own = humanSize(container.SizeRw ?? 0, 3)
  const rootFs = container.SizeRootFs ?? 0
  return rootFs > 0 ? `${own} (virtual ${humanSize(rootFs, 3)})` : own
}

/** "0.0.0.0:8000-8001->80-81/tcp, 443/tcp": neighbouring ports of one address and protocol as a range. */
export function displayPorts(ports: readonly SummaryPort[]): string {
  const sorted = [...ports].sort(
    (a, b) =>
      a.PrivatePort - b.PrivatePort ||
      compare(a.IP ?? "", b.IP ?? "") ||
      (a.PublicPort ?? 0) - (b.PublicPort ?? 0) ||
      compare(a.Type, b.Type),
  )
  const exposedOnly: string[] = []
  const published: string[] = []
  const open = new Map<string, { first: number; last: number }>()
  const close = (group: string, range: { first: number; last: number }): void => {
    const [ip, protocol] = group.split("/") as [string, string]
    const text = range.first === range.last ? `${range.first}` : `${range.first}-${range.last}`
    published.push(ip === "" ? `${text}/${protocol}` : `${bracketed(ip)}:${text}->${text}/${protocol}`)
  }
  for (const port of sorted) {
    const current = port.PrivatePort
    let group = `/${port.Type}`
    if (port.IP !== undefined && port.IP !== "") {
      if (port.PublicPort !== current) {
        exposedOnly.push(`${bracketed(port.IP)}:${port.PublicPort}->${current}/${port.Type}`)
        continue
      }
      group = `${port.IP}/${port.Type}`
    }
    const range = open.get(group)
    if (range === undefined) open.set(group, { first: current, last: current })
    else if (current === range.last + 1) range.last = current
    else {
      close(group, range)
      open.set(group, { first: current, last: current })
    }
  }
  for (const [group, range] of open) close(group, range)
  return [...published, ...exposedOnly].join(", ")
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

function bracketed(ip: string): string {
  return ip.includes(":") ? `[${ip}]` : ip
}
