// The rows of `ps`, newest first, with Docker's filters.
import type { ContainerSummary, SummaryPort } from "../../wire/container.ts"
import type { Containers } from "../contract.ts"
import { inspectNetworks } from "./inspect-config.ts"
import { linkNames } from "./links.ts"
import { listFilter } from "./list-filters.ts"
import { emulatedMark, manifestDescriptor } from "./manifest-descriptor.ts"
import { commandOf } from "./merge-config.ts"
import { mountPoint } from "./mount-point.ts"
import type { ContainerParts } from "./parts.ts"
import { type Container, type ContainerRecord, isRunning } from "./record.ts"
import { sizes } from "./sizes.ts"
import { statusText } from "./status.ts"

export async function listContainers(
  parts: ContainerParts,
  options: Parameters<Containers["list"]>[0],
): Promise<ContainerSummary[]> {
  const { filters } = options
  const isWanted = listFilter(parts, filters, ({ state }) =>
    isRunning(state) ? summaryPorts(state.process.ports) : [],
  )
  const limit = options.limit !== undefined && options.limit > 0 ? options.limit : undefined
  // `-n` and `status=` look at all containers, as in Docker.
  const everything = options.all || limit !== undefined || filters.has("status")
  const found = parts.store
    .all()
    .reverse()
    .sort((a, b) => (a.record.created < b.record.created ? 1 : -1))
    .filter(({ state }) => everything || isRunning(state) || state.status === "restarting")
    .filter(isWanted)
    .slice(0, limit)
  const names = new Map<string, readonly string[]>()
  const links = linkNames(parts.store)
  return await Promise.all(
    found.map(async (container) => ({
      ...(await summary(parts, container, options.size)),
      Names: [container.record.name, ...(links.get(container.record.id) ?? [])].map((name) => `/${name}`),
      Image: shownImage(parts, container.record, names),
    })),
  )
}

async function summary(
  parts: ContainerParts,
  { record, state }: Container,
  withSize: boolean,
): Promise<Omit<ContainerSummary, "Image" | "Names">> {
  const { path, args } = commandOf(record.config)
  const networks = inspectNetworks(isRunning(state) ? state.process.endpoints : {}, record)
  return {
    Id: record.id,
    ImageID: record.imageId,
    Command: [path, ...args].map(quoteArgument).join(" "),
    Created: Math.floor(Date.parse(record.created) / 1000),
    Ports: isRunning(state) ? summaryPorts(state.process.ports) : [],
    ...(withSize ? await sizes(parts, record.id, record.layers) : {}),
    Labels: record.config.Labels ?? {},
    State: state.status,
    Status: statusText(state),
    HostConfig: {
      NetworkMode: record.hostConfig.NetworkMode ?? "bridge",
      ...(record.hostConfig.Annotations ? { Annotations: record.hostConfig.Annotations } : {}),
    },
    NetworkSettings: { Networks: networks },
    Mounts: record.mounts.filter(({ Type }) => Type !== "tmpfs").map(mountPoint),
    ImageManifestDescriptor: manifestDescriptor(parts, record),
    ...emulatedMark(parts, record),
    ...(state.usage === undefined ? {} : { Usage: state.usage }),
  }
}

/** The name it was made from, or the image's id where the name has moved on, or is gone. */
function shownImage(
  parts: ContainerParts,
  { image, imageId }: ContainerRecord,
  names: Map<string, readonly string[]>,
): string {
  if (!names.has(image)) names.set(image, parts.imageIds(image))
  return names.get(image)!.includes(imageId) ? image : imageId
}

function summaryPorts(ports: Readonly<Record<string, { HostIp?: string; HostPort?: string }[] | null>>): SummaryPort[] {
  const rows: SummaryPort[] = []
  for (const [port, bindings] of Object.entries(ports)) {
    const [number = "", Type = "tcp"] = port.split("/")
    const PrivatePort = Number(number)
    if (bindings === null || bindings.length === 0) rows.push({ PrivatePort, Type })
    else
      for (const { HostIp = "", HostPort = "" } of bindings)
        rows.push({ IP: HostIp, PrivatePort, PublicPort: Number(HostPort), Type })
  }
  return rows
}

/** As Docker shows a command: words with blanks or quotes are quoted for a shell. */
function quoteArgument(word: string): string {
  return /[\s'"\\$`]/.test(word) || word === "" ? `'${word.replaceAll("'", `'"'"'`)}'` : word
}
