// In what a container differs from what would be made today, by the fields of the compose file: "environment.DB".
import type { ContainerCreateRequest, ContainerInspect } from "../wire/container.ts"

type ImageConfig = {
  readonly Env?: readonly string[] | null
  readonly Cmd?: readonly string[] | null
  readonly Entrypoint?: readonly string[] | null
  readonly Labels?: Readonly<Record<string, string>> | null
  readonly WorkingDir?: string
  readonly User?: string
}

export function differences(
  wanted: ContainerCreateRequest,
  container: ContainerInspect,
  image: ImageConfig,
): readonly string[] {
  const found: string[] = []
  const { Config: config, HostConfig: host } = container
  if (wanted.Image !== config.Image) found.push("image")
  found.push(...pairs("environment", variables(wanted.Env), variables(config.Env), variables(image.Env)))
  const own = (labels: Readonly<Record<string, string>>): Map<string, string> =>
    new Map(Object.entries(labels).filter(([name]) => !name.startsWith("com.docker.compose.")))
  found.push(...pairs("labels", own(wanted.Labels ?? {}), own(config.Labels ?? {}), own(image.Labels ?? {})))
  const same = (field: string, now: unknown, before: unknown): void => {
    if (!alike(now, before)) found.push(field)
  }
  same("command", wanted.Cmd ?? (wanted.Entrypoint === undefined ? image.Cmd : undefined), config.Cmd)
  same("entrypoint", wanted.Entrypoint ?? image.Entrypoint, config.Entrypoint)
  same("working_dir", wanted.WorkingDir ?? image.WorkingDir, config.WorkingDir)
  same("user", wanted.User ?? image.User, config.User)
  same("healthcheck", wanted.Healthcheck?.Test, wanted.Healthcheck === undefined ? undefined : config.Healthcheck?.Test)
  same("tty", wanted.Tty, config.Tty)
  const now = wanted.HostConfig ?? {}
  same("ports", now.PortBindings, host.PortBindings)
  same("volumes", [...(now.Binds ?? [])].sort(), [...(host.Binds ?? [])].sort())
  same("volumes", targets(now.Mounts), targets(host.Mounts))
  same("restart", now.RestartPolicy?.Name ?? "no", host.RestartPolicy?.Name || "no")
  same("network_mode", now.NetworkMode, host.NetworkMode)
  same("networks", Object.keys(wanted.NetworkingConfig?.EndpointsConfig ?? {}).sort(), networkNames(wanted, container))
  for (const [field, name] of HOST_FIELDS) same(field, now[name], host[name])
  return [...new Set(found)]
}

const HOST_FIELDS = [
  ["cap_add", "CapAdd"],
  ["cap_drop", "CapDrop"],
  ["mem_limit", "Memory"],
  ["cpus", "NanoCpus"],
  ["pids_limit", "PidsLimit"],
  ["privileged", "Privileged"],
  ["read_only", "ReadonlyRootfs"],
  ["dns", "Dns"],
  ["extra_hosts", "ExtraHosts"],
  ["sysctls", "Sysctls"],
  ["tmpfs", "Tmpfs"],
  ["ulimits", "Ulimits"],
  ["devices", "Devices"],
  ["security_opt", "SecurityOpt"],
  ["pid", "PidMode"],
  ["init", "Init"],
] as const

function networkNames(wanted: ContainerCreateRequest, container: ContainerInspect): string[] {
  const there = Object.keys(container.NetworkSettings.Networks ?? {}).sort()
  // Of host, none and another's namespace, the mode says it all.
  return Object.keys(wanted.NetworkingConfig?.EndpointsConfig ?? {}).length === 0 ? [] : there
}

function targets(
  mounts:
    | readonly { readonly Target: string; readonly Source?: string; readonly ReadOnly?: boolean }[]
    | null
    | undefined,
): string[] {
  return (mounts ?? []).map(({ Target, ReadOnly }) => `${Target} ${ReadOnly === true}`).sort()
}

function variables(list: readonly string[] | null | undefined): Map<string, string> {
  return new Map((list ?? []).map((pair) => [pair.split("=", 1)[0]!, pair]))
}

function pairs(
  field: string,
  now: ReadonlyMap<string, string>,
  before: ReadonlyMap<string, string>,
  image: ReadonlyMap<string, string>,
): string[] {
  const names = new Set([...now.keys(), ...before.keys()])
  return [...names]
    .filter((name) => (now.get(name) ?? image.get(name)) !== before.get(name))
    .map((name) => `${field}.${name}`)
}

/** null, "", 0, false, [] and {} all say nothing. */
function alike(a: unknown, b: unknown): boolean {
  return JSON.stringify(normal(a)) === JSON.stringify(normal(b))
}

function normal(value: unknown): unknown {
  if (value === undefined || value === null || value === "" || value === 0 || value === false) return null
  if (Array.isArray(value)) return value.length === 0 ? null : value.map(normal)
  if (typeof value !== "object") return value
  const fields = Object.entries(value).filter(([, field]) => normal(field) !== null)
  if (fields.length === 0) return null
  return Object.fromEntries(fields.sort(([x], [y]) => (x < y ? -1 : 1)).map(([name, field]) => [name, normal(field)]))
}
