// Docker's filters of the list of containers: checked as a whole first, then asked about each container.
import { DhowError } from "../../lib/errors.ts"
import type { Digest } from "../../oci/digest.ts"
import type { ContainerStatus, EndpointSettings, SummaryPort } from "../../wire/container.ts"
import type { Filters } from "../contract.ts"
import { hasFilter, matchLabels, rejectUnknownFilters } from "../filters.ts"
import { HEALTH_FILTERS } from "./health.ts"
import { linkNames } from "./links.ts"
import type { ContainerParts } from "./parts.ts"
import { type Container, isRunning } from "./record.ts"

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

/** Throws for what Docker refuses; what it returns tells whether a container is in the list. */
export function listFilter(
  parts: Pick<ContainerParts, "store" | "imageIds">,
  filters: Filters,
  portsOf: (container: Container) => readonly SummaryPort[],
): (container: Container) => boolean {
  rejectUnknownFilters(filters, FILTERS)
  checkValues(filters)
  const boundary = (name: string): number | undefined => {
    const [reference] = filters.get(name) ?? []
    return reference === undefined ? undefined : Date.parse(parts.store.resolve(reference).record.created)
  }
  const before = boundary("before")
  const since = boundary("since")
  // An unknown ancestor matches no container; it is no error in Docker either.
  const ancestors: readonly Digest[] = (filters.get("ancestor") ?? []).flatMap(parts.imageIds)
  const ids = idsOf(parts, filters)
  const published = portSet("publish", filters)
  const exposed = portSet("expose", filters)
  const task = isTask(filters)
  const links = filters.has("name") ? linkNames(parts.store) : undefined
  return (container) => {
    const { record } = container
    const created = Date.parse(record.created)
    if (before !== undefined && created >= before) return false
    if (since !== undefined && created <= since) return false
    if (filters.has("ancestor") && !ancestors.includes(record.imageId)) return false
    if (ids !== undefined && !ids.has(record.id)) return false
    if (task === true) return false
    if (published.length + exposed.length > 0 && !hasPort(portsOf(container), published, exposed)) return false
    return matches(container, filters, [record.name, ...(links?.get(record.id) ?? [])])
  }
}

function checkValues(filters: Filters): void {
  for (const value of filters.get("status") ?? [])
    if (!(STATUSES as readonly string[]).includes(value))
      throw invalid("status", value, `invalid value for state (${value}): must be one of ${STATUSES.join(", ")}`)
  for (const value of filters.get("exited") ?? [])
    if (!/^[+-]?\d+$/.test(value))
      throw invalid("exited", value, `strconv.Atoi: parsing ${JSON.stringify(value)}: invalid syntax`)
  for (const value of filters.get("health") ?? [])
    if (!HEALTH_FILTERS.includes(value))
      throw invalid("health", value, `invalid value for health (${value}): must be one of ${HEALTH_FILTERS.join(", ")}`)
}

function invalid(name: string, value: string, why: string): DhowError {
  return new DhowError("invalid", `invalid filter '${name}=${value}': ${why}`)
}

/** A prefix of several ids is that of none, as in Docker. */
function idsOf({ store }: Pick<ContainerParts, "store">, filters: Filters): ReadonlySet<string> | undefined {
  const prefixes = filters.get("id") ?? []
  if (prefixes.length === 0) return undefined
  const all = store.all().map(({ record }) => record.id)
  return new Set(
    prefixes.flatMap((prefix) => {
      const found = all.filter((id) => id.startsWith(prefix))
      return found.length === 1 ? found : []
    }),
  )
}

function isTask(filters: Filters): boolean | undefined {
  const values = filters.get("is-task")
  if (values === undefined) return undefined
  const isFalse = values.includes("0") || values.includes("false")
  const isTrue = values.includes("1") || values.includes("true")
  if (isFalse === isTrue) throw new DhowError("invalid", `invalid filter 'is-task=[${values.join(" ")}]'`)
  return isTrue
}

type PortRange = { readonly from: number; readonly to: number; readonly protocol: string }

function portSet(name: string, filters: Filters): readonly PortRange[] {
  return (filters.get(name) ?? []).map((value) => {
    if (value.includes(":")) throw new DhowError("invalid", `filter for '${name}' should not contain ':': ${value}`)
    const [, start = "", end = start, protocol = "tcp"] = /^(\d{1,5})(?:-(\d{1,5}))?(?:\/([a-z]+))?$/.exec(value) ?? []
    const from = Number(start)
    const to = Number(end)
    if (start === "" || to < from || to > 65_535 || !["tcp", "udp", "sctp"].includes(protocol))
      throw new DhowError("invalid", `error while looking up for ${name} ${value}: invalid port`)
    return { from, to, protocol }
  })
}

function hasPort(
  ports: readonly SummaryPort[],
  published: readonly PortRange[],
  exposed: readonly PortRange[],
): boolean {
  const isIn = (ranges: readonly PortRange[], port: number | undefined, type: string): boolean =>
    port !== undefined && ranges.some(({ from, to, protocol }) => protocol === type && port >= from && port <= to)
  return ports.some(
    ({ PublicPort, PrivatePort, Type }) => isIn(published, PublicPort, Type) || isIn(exposed, PrivatePort, Type),
  )
}

function matches({ record, state }: Container, filters: Filters, names: readonly string[]): boolean {
  const endpoints: Readonly<Record<string, EndpointSettings>> = isRunning(state) ? state.process.endpoints : {}
  const networks = [record.hostConfig.NetworkMode ?? "", ...Object.keys(endpoints)]
  return (
    hasFilter(filters, "name", (value) => names.some((name) => nameMatches(name, value))) &&
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
    matchLabels(filters, record.config.Labels ?? {})
  )
}

/** A regular expression over "/name" and "name", as in Docker. A hostile one must not hang the engine. */
function nameMatches(name: string, value: string): boolean {
  if (/^[\w./-]*$/.test(value)) return `/${name}`.includes(value) || new RegExp(value).test(`/${name}`)
  if (value.length > 200 || /[+*{(][^)]*[+*{]/.test(value))
    throw new DhowError("invalid", `invalid filter 'name=${value}'`, {
      hint: "Expressions with one repetition inside another are not taken",
    })
  try {
    return new RegExp(value).test(name) || new RegExp(value).test(`/${name}`)
  } catch {
    // One that cannot be read matches nothing, and is no error.
    return false
  }
}
