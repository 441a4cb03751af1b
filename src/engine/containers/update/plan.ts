// What an update makes of a container, and when each change of it takes effect. Pure: nothing is looked up, nothing done.
import { posix } from "node:path"
import { DhowError } from "../../../lib/errors.ts"
import type { PortMapping } from "../../../network/contract.ts"
import type { Healthcheck } from "../../../oci/image-config.ts"
import type { ContainerConfig, HostConfig, Mount } from "../../../wire/container.ts"
import type { ContainerUpdateRequest, UpdateChange, UpdateEffect } from "../../../wire/update.ts"
import { mountPoint } from "../mount-point.ts"
import { parseBind, parseMount } from "../mount-specs.ts"
import type { ContainerRecord, ResolvedMount } from "../record.ts"
import { changeBindings, type PortsAfter } from "./ports.ts"
import { LIVE_RESOURCES, mergeResources } from "./resources.ts"

export const CONFIG_FIELDS = [
  "Hostname",
  "Domainname",
  "User",
  "Tty",
  "OpenStdin",
  "StdinOnce",
  "Cmd",
  "Entrypoint",
  "WorkingDir",
  "StopSignal",
  "StopTimeout",
] as const satisfies readonly (keyof ContainerUpdateRequest)[]

export const HOST_FIELDS = [
  "LogConfig",
  "NetworkMode",
  "AutoRemove",
  "Annotations",
  "CapAdd",
  "CapDrop",
  "CgroupnsMode",
  "Dns",
  "DnsOptions",
  "DnsSearch",
  "ExtraHosts",
  "GroupAdd",
  "IpcMode",
  "OomScoreAdj",
  "PidMode",
  "Privileged",
  "PublishAllPorts",
  "ReadonlyRootfs",
  "SecurityOpt",
  "UTSMode",
  "ShmSize",
  "Sysctls",
  "Runtime",
  "Init",
  "HealthAction",
  "Timeout",
  "Requires",
  "NetRate",
] as const satisfies readonly (keyof ContainerUpdateRequest)[]

/** Whatever state the container is in, there is nothing that would have to follow. */
const AT_ONCE: ReadonlySet<string> = new Set([
  "Labels",
  "RestartPolicy",
  "StopSignal",
  "StopTimeout",
  "AutoRemove",
  "Requires",
])
const LIVE: ReadonlySet<string> = new Set([
  ...AT_ONCE,
  ...LIVE_RESOURCES,
  "Healthcheck",
  "HealthAction",
  "Timeout",
  "NetRate",
  "PortBindings",
  "Mounts",
])

export type Plan = {
  readonly config: ContainerConfig
  readonly hostConfig: HostConfig
  readonly ports: PortsAfter
  readonly mountAdd: readonly Mount[]
  /** Destinations. */
  readonly mountRm: readonly string[]
}

export function planUpdate(
  record: ContainerRecord,
  asked: ContainerUpdateRequest,
  published: readonly PortMapping[],
): Plan {
  const ports = changeBindings(
    {
      name: record.name,
      bindings: record.hostConfig.PortBindings ?? {},
      publishAll: record.hostConfig.PublishAllPorts === true,
      published,
    },
    asked.PublishAdd ?? {},
    asked.PublishRm ?? {},
  )
  const mountRm = (asked.MountRm ?? []).map(cleanDestination)
  const mountAdd = asked.MountAdd ?? []
  checkMounts(record, mountAdd, mountRm)
  const hostConfig = mergeResources(record.hostConfig, asked)
  for (const name of HOST_FIELDS) if (asked[name] !== undefined) set(hostConfig, name, asked[name])
  if (asked.RestartPolicy?.Name) hostConfig.RestartPolicy = asked.RestartPolicy
  if (asked.PublishAdd !== undefined || asked.PublishRm !== undefined) hostConfig.PortBindings = ports.bindings
  if (mountRm.length > 0 || mountAdd.length > 0) changeMounts(hostConfig, mountAdd, mountRm)
  return { config: changeConfig(record.config, asked, mountRm), hostConfig, ports, mountAdd, mountRm }
}

function changeConfig(
  current: ContainerConfig,
  asked: ContainerUpdateRequest,
  mountRm: readonly string[],
): ContainerConfig {
  const config = { ...current }
  for (const name of CONFIG_FIELDS) if (asked[name] !== undefined) set(config, name, asked[name])
  if (config.Entrypoint?.length === 1 && config.Entrypoint[0] === "") config.Entrypoint = null
  if (!config.Entrypoint?.length && !config.Cmd?.length) throw new DhowError("invalid", "no command specified")
  if (config.WorkingDir && !config.WorkingDir.startsWith("/"))
    throw new DhowError(
      "invalid",
      `the working directory '${config.WorkingDir}' is invalid, it needs to be an absolute path`,
    )
  if (asked.EnvAdd !== undefined || asked.EnvRm !== undefined) config.Env = changeEnvironment(current.Env ?? [], asked)
  if (asked.LabelAdd !== undefined || asked.LabelRm !== undefined) {
    const labels = { ...current.Labels }
    for (const name of asked.LabelRm ?? []) delete labels[name]
    config.Labels = { ...labels, ...asked.LabelAdd }
  }
  if (asked.PublishAdd !== undefined) {
    const exposed = { ...current.ExposedPorts }
    for (const port of Object.keys(asked.PublishAdd)) exposed[port.includes("/") ? port : `${port}/tcp`] = {}
    config.ExposedPorts = exposed
  }
  if (asked.Healthcheck !== undefined) config.Healthcheck = changeHealthcheck(current.Healthcheck, asked.Healthcheck)
  if (mountRm.length > 0 && config.Volumes)
    config.Volumes = Object.fromEntries(
      Object.entries(config.Volumes).filter(([path]) => !mountRm.includes(cleanDestination(path))),
    )
  return config
}

function changeEnvironment(current: readonly string[], { EnvAdd, EnvRm }: ContainerUpdateRequest): string[] {
  const nameOf = (entry: string): string => entry.split("=", 1)[0] ?? entry
  const removed = new Set(EnvRm)
  const added = new Map<string, string>()
  for (const entry of EnvAdd ?? []) {
    if (!/^[^=]+=/.test(entry)) throw new DhowError("invalid", `invalid environment variable: ${entry}`)
    if (entry.includes("\0")) throw new DhowError("invalid", "an environment variable cannot hold a NUL byte")
    added.set(nameOf(entry), entry)
  }
  const kept = current
    .filter((entry) => !removed.has(nameOf(entry)) || added.has(nameOf(entry)))
    .map((entry) => {
      const changed = added.get(nameOf(entry))
      added.delete(nameOf(entry))
      return changed ?? entry
    })
  return [...kept, ...added.values()]
}

function changeHealthcheck(current: Healthcheck | null | undefined, asked: Healthcheck): Healthcheck {
  if (asked.Test?.[0] === "NONE") return { Test: ["NONE"] }
  const base = current?.Test?.[0] === "NONE" ? {} : { ...current }
  const merged = { ...base, ...asked }
  if (!merged.Test?.length)
    throw new DhowError("invalid", "A health check needs a command", { hint: "Name one in Test" })
  return merged
}

function checkMounts(record: ContainerRecord, add: readonly Mount[], remove: readonly string[]): void {
  const tmpfs = Object.keys(record.hostConfig.Tmpfs ?? {}).map(cleanDestination)
  const taken = new Set([...record.mounts.map(({ Destination }) => Destination), ...tmpfs])
  for (const destination of remove)
    if (!taken.delete(destination))
      throw new DhowError("invalid", `Nothing is mounted at "${destination}" in container "${record.name}"`)
  for (const mount of add) {
    const { destination } = parseMount(mount)
    // The runtime would refuse it at the next start, and the kernel's files are no place for others' now.
    if (/^\/proc(?:\/|$)/.test(destination))
      throw new DhowError("invalid", `"${destination}" cannot be mounted because it is inside /proc`)
    if (taken.has(destination)) throw new DhowError("invalid", `Duplicate mount point: ${destination}`)
    taken.add(destination)
  }
  for (const destination of remove)
    for (const other of taken)
      if (other.startsWith(`${destination}/`))
        throw new DhowError("conflict", `Cannot take away the mount at "${destination}": "${other}" lies below it`)
}

function changeMounts(hostConfig: HostConfig, add: readonly Mount[], remove: readonly string[]): void {
  const stays = (destination: string): boolean => !remove.includes(cleanDestination(destination))
  if (hostConfig.Binds) hostConfig.Binds = hostConfig.Binds.filter((text) => stays(parseBind(text).destination))
  hostConfig.Mounts = [...(hostConfig.Mounts ?? []).filter(({ Target }) => stays(Target)), ...add]
  if (hostConfig.Mounts.length === 0) delete hostConfig.Mounts
  if (hostConfig.Tmpfs)
    hostConfig.Tmpfs = Object.fromEntries(Object.entries(hostConfig.Tmpfs).filter(([target]) => stays(target)))
}

function cleanDestination(text: string): string {
  const path = posix.normalize(text)
  return path.length > 1 ? path.replace(/\/$/, "") : path
}

type Shown = {
  readonly config: ContainerConfig
  readonly hostConfig: HostConfig
  readonly mounts: readonly ResolvedMount[]
}

/** What differs, as inspect names it, and when it takes effect. */
export function changesBetween(before: Shown, after: Shown, isRunning: boolean): UpdateChange[] {
  const [was, now] = [fieldsOf(before), fieldsOf(after)]
  const changes: UpdateChange[] = []
  for (const name of new Set([...Object.keys(was), ...Object.keys(now)])) {
    if (said(name, was[name]) === said(name, now[name])) continue
    const Effect = name === "LogConfig" && isRunning ? logEffect(before, after) : effectOf(name, isRunning)
    changes.push({ Field: name, Was: was[name] ?? null, Now: now[name] ?? null, Effect })
  }
  return changes
}

/** Nothing, zero and an empty list say the same, but of a time to wait. */
function said(name: string, value: unknown): string {
  const isEmpty =
    value === undefined ||
    value === null ||
    value === "" ||
    (value === 0 && name !== "StopTimeout") ||
    (typeof value === "object" && Object.keys(value).length === 0)
  return isEmpty ? "null" : JSON.stringify(value)
}

/** Whether a log is kept at all was told to conmon when it was started. */
function logEffect(before: Shown, after: Shown): UpdateEffect {
  const keeps = ({ hostConfig }: Shown): boolean => hostConfig.LogConfig?.Type !== "none"
  return keeps(before) === keeps(after) ? "live" : "restart"
}

function effectOf(name: string, isRunning: boolean): UpdateEffect {
  if (AT_ONCE.has(name)) return "live"
  if (!isRunning) return "start"
  if (name === "Image") return "recreate"
  return LIVE.has(name) ? "live" : "restart"
}

/** Binds, volumes and tmpfs are shown together, as what is mounted where. */
function fieldsOf({ config, hostConfig, mounts }: Shown): Record<string, unknown> {
  const { Binds: _binds, Mounts: _mounts, Tmpfs, ...host } = hostConfig
  const { Volumes: _volumes, ExposedPorts: _exposed, ...own } = config
  const tmpfs = Object.entries(Tmpfs ?? {}).map(([destination, options]) => ({
    Type: "tmpfs",
    Destination: destination,
    Mode: options,
  }))
  return { ...own, ...host, Mounts: [...mounts.map(mountPoint), ...tmpfs] }
}

function set<T extends object, K extends keyof T>(target: T, name: K, value: T[K]): void {
  target[name] = value
}
