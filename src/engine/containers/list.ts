// The rows of `ps`, newest first, with Docker's filters.
import { DhowError } from "../../lib/errors.ts"
import type { ContainerStatus, ContainerSummary, EndpointSettings, SummaryPort } from "../../wire/container.ts"
import type { Containers, Filters } from "../contract.ts"
import { hasFilter, matchLabels, rejectUnknownFilters } from "../filters.ts"
import { HEALTH_FILTERS } from "./health.ts"
import { inspectNetworks } from "./inspect-config.ts"
import { emulatedMark, manifestDescriptor } from "./manifest-descriptor.ts"
import { commandOf } from "./merge-config.ts"
import { mountPoint } from "./mount-point.ts"
import type { ContainerParts } from "./parts.ts"
import { type Container, isRunning } from "./record.ts"
import { sizes } from "./sizes.ts"
import { statusText } from "./status.ts"

const FILTERS = [
  "ancestor",
  "before",
  "exited",
  "expose",
  "health",
  "id",
  "is-task",
  "isolation",
  "label",
  "name",
  "network",
  "publish",
  "since",
  "status",
  "volume",
]
const STATUSES: readonly ContainerStatus[] = [
  "created",
  "running",
  "paused",
  "restarting",
  "removing",
  "exited",
  "dead",
]

export async function listContainers(
  parts: ContainerParts,
  options: Parameters<Containers["list"]>[0],
): Promise<ContainerSummary[]> {
  const { filters } = options
  rejectUnknownFilters(filters, FILTERS)
  for (const value of filters.get("status") ?? [])
    if (!(STATUSES as readonly string[]).includes(value))
      throw new DhowError("invalid", `invalid filter 'status=${value}'`)
  for (const value of filters.get("exited") ?? [])
    if (!/^-?\d+$/.test(value)) throw new DhowError("invalid", `invalid filter 'exited=${value}'`)
  for (const value of filters.get("health") ?? [])
    if (!HEALTH_FILTERS.includes(value))
      throw new DhowError("invalid", `invalid value for health (${value}): must be one of ${HEALTH_FILTERS.join(", ")}`)
  const limit = options.limit !== undefined && options.limit > 0 ? options.limit : undefined
  // `-n`, `status=`, `before=` and `since=` look at all containers, as in Docker.
  const everything =
    options.all || limit !== undefined || ["status", "exited", "before", "since"].some((name) => filters.has(name))
  const boundary = (name: string): number | undefined => {
    const [reference] = filters.get(name) ?? []
    return reference === undefined ? undefined : Date.parse(parts.store.resolve(reference).record.created)
  }
  const before = boundary("before")
  const since = boundary("since")
  // An unknown ancestor matches no container; it is no error in Docker either.
  const ancestors = (filters.get("ancestor") ?? []).flatMap(parts.imageIds)
  const found = parts.store
    .all()
    .reverse()
    .sort((a, b) => (a.record.created < b.record.created ? 1 : -1))
    .filter((container) => {
      const { record, state } = container
      if (!everything && !isRunning(state) && state.status !== "restarting") return false
      const created = Date.parse(record.created)
      if (before !== undefined && created >= before) return false
      if (since !== undefined && created <= since) return false
      if (filters.has("ancestor") && !ancestors.includes(record.imageId)) return false
      return matches(container, filters)
    })
    .slice(0, limit)
  return await Promise.all(found.map((container) => summary(parts, container, options.size)))
}

function matches({ record, state }: Container, filters: Filters): boolean {
  const endpoints: Readonly<Record<string, EndpointSettings>> = isRunning(state) ? state.process.endpoints : {}
  const networks = [record.hostConfig.NetworkMode ?? "", ...Object.keys(endpoints)]
  return (
    hasFilter(filters, "id", (value) => record.id.startsWith(value)) &&
    hasFilter(filters, "name", (value) => nameMatches(record.name, value)) &&
    hasFilter(filters, "status", (value) => state.status === value) &&
    hasFilter(filters, "exited", (value) => state.status === "exited" && state.exitCode === Number(value)) &&
    hasFilter(filters, "health", (value) => value === (state.health ?? "none")) &&
    hasFilter(
      filters,
      "network",
      (value) =>
        networks.includes(value) || Object.values(endpoints).some(({ NetworkID }) => NetworkID?.startsWith(value)),
    ) &&
    hasFilter(filters, "volume", (value) =>
      record.mounts.some((mount) => mount.Name === value || mount.Destination === value || mount.Source === value),
    ) &&
    hasFilter(filters, "publish", (value) => portMatches(Object.keys(record.hostConfig.PortBindings ?? {}), value)) &&
    hasFilter(filters, "expose", (value) => portMatches(Object.keys(record.config.ExposedPorts ?? {}), value)) &&
    hasFilter(filters, "is-task", (value) => value === "false" || value === "0") &&
    matchLabels(filters, record.config.Labels ?? {})
  )
}

/** Docker takes the value as a regular expression over "/name" and "name". A hostile one must not hang the engine. */
function nameMatches(name: string, value: string): boolean {
  if (/^[\w./-]*$/.test(value)) return `/${name}`.includes(value)
  if (/^\^?\/?[\w.-]*\$?$/.test(value)) return new RegExp(value).test(name) || new RegExp(value).test(`/${name}`)
  if (value.length > 200 || /[+*{(][^)]*[+*{]/.test(value))
    throw new DhowError("invalid", `invalid filter 'name=${value}'`)
  try {
    return new RegExp(value).test(name) || new RegExp(value).test(`/${name}`)
  } catch (cause) {
    throw new DhowError("invalid", `invalid filter 'name=${value}'`, { cause })
  }
}

function portMatches(ports: readonly string[], value: string): boolean {
  const [range = "", protocol = "tcp"] = value.split("/")
  const [from = 0, to = from] = range.split("-").map(Number)
  return ports.some((port) => {
    const [number = "", kind = "tcp"] = port.split("/")
    return kind === protocol && Number(number) >= from && Number(number) <= to
  })
}

async function summary(
  parts: ContainerParts,
  { record, state }: Container,
  withSize: boolean,
): Promise<ContainerSummary> {
  const { path, args } = commandOf(record.config)
  const networks = inspectNetworks(
    isRunning(state) ? state.process.endpoints : {},
    record.hostConfig.NetworkMode ?? "bridge",
  )
  return {
    Id: record.id,
    Names: [`/${record.name}`],
    Image: record.image,
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
  }
}

function summaryPorts(ports: Readonly<Record<string, { HostIp?: string; HostPort?: string }[] | null>>): SummaryPort[] {
  const rows: SummaryPort[] = []
  for (const [port, bindings] of Object.entries(ports)) {
    const [number = "", Type = "tcp"] = port.split("/")
    const PrivatePort = Number(number)
    if (bindings === null) rows.push({ PrivatePort, Type })
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
