// A service's container as the body of POST /containers/create. What it shares of other services is resolved before.
import { parseDuration } from "../lib/duration.ts"
import type { ContainerCreateRequest, EndpointSettings, HostConfig, PortMap, RestartPolicy } from "../wire/container.ts"
import { type Inherited, mountsOf } from "./container-mounts.ts"
import { given, resourcesOf } from "./container-resources.ts"
import { imageOf, type Labels, type Project, type Service, type ServiceNetwork } from "./model.ts"

export type RequestOptions = {
  readonly name: string
  readonly labels: Labels
  /** Names on networks beside its own. */
  readonly aliases: readonly string[]
  readonly inherited?: Inherited
  /** "container:alias" of links. */
  readonly links: readonly string[]
  readonly attachStdin?: boolean
  readonly autoRemove?: boolean
  /** Contents of seccomp profiles. */
  readonly readFile: (path: string) => string
}

export function createRequest(project: Project, service: Service, options: RequestOptions): ContainerCreateRequest {
  const { binds, mounts } = mountsOf(project, service, options.inherited)
  const networks = networksOf(project, service, options)
  const stopTimeout = service.stop_grace_period
  return given<ContainerCreateRequest>({
    Hostname: service.hostname,
    Domainname: service.domainname,
    User: service.user,
    AttachStdin: options.attachStdin,
    AttachStdout: true,
    AttachStderr: true,
    OpenStdin: service.stdin_open,
    StdinOnce: options.attachStdin === true && service.stdin_open === true ? true : undefined,
    Tty: service.tty,
    ExposedPorts: exposedPorts(service),
    Env: Object.entries(service.environment ?? {}).map(([name, value]) => (value === null ? name : `${name}=${value}`)),
    Cmd: service.command === undefined ? undefined : [...service.command],
    Entrypoint: service.entrypoint === undefined ? undefined : [...service.entrypoint],
    Healthcheck: healthcheckOf(service),
    Image: imageOf(project, service),
    WorkingDir: service.working_dir,
    Labels: { ...options.labels },
    StopSignal: service.stop_signal,
    StopTimeout: stopTimeout === undefined ? undefined : Math.ceil(parseDuration(stopTimeout) / 1e9),
    HostConfig: {
      ...hostConfig(service, options),
      ...resourcesOf(service),
      Binds: binds,
      Mounts: mounts,
      NetworkMode: networks.mode,
    },
    NetworkingConfig: { EndpointsConfig: networks.endpoints },
  })
}

function hostConfig(service: Service, options: RequestOptions): HostConfig {
  const security = securityOf(service, options)
  return given<HostConfig>({
    Annotations: service.annotations === undefined ? undefined : { ...service.annotations },
    AutoRemove: options.autoRemove,
    CapAdd: copied(service.cap_add),
    CapDrop: copied(service.cap_drop),
    CgroupnsMode: service.cgroup,
    Dns: copied(service.dns),
    DnsOptions: copied(service.dns_opt),
    DnsSearch: copied(service.dns_search),
    ExtraHosts: service.extra_hosts?.map((host) => host.replace("=", ":")),
    GroupAdd: service.group_add?.map(String),
    Init: service.init,
    IpcMode: service.ipc,
    Isolation: service.isolation,
    Links: options.links.length === 0 ? undefined : [...options.links],
    LogConfig:
      service.logging === undefined
        ? undefined
        : { Type: service.logging.driver ?? "", Config: { ...service.logging.options } },
    OomScoreAdj: service.oom_score_adj,
    PidMode: service.pid,
    PortBindings: portBindings(service),
    Privileged: service.privileged,
    ReadonlyRootfs: service.read_only,
    RestartPolicy: restartPolicy(service),
    Runtime: service.runtime,
    SecurityOpt: security.options,
    ...(security.unconfined
      ? { MaskedPaths: [], ReadonlyPaths: [] }
      : { MaskedPaths: undefined, ReadonlyPaths: undefined }),
    ShmSize: service.shm_size === undefined ? undefined : Number(service.shm_size),
    StorageOpt: service.storage_opt === undefined ? undefined : { ...service.storage_opt },
    Sysctls: service.sysctls === undefined ? undefined : { ...service.sysctls },
    Tmpfs:
      service.tmpfs === undefined
        ? undefined
        : Object.fromEntries(
            service.tmpfs.map((text) => [
              text.split(":", 1)[0]!,
              text.includes(":") ? text.slice(text.indexOf(":") + 1) : "",
            ]),
          ),
    UTSMode: service.uts,
    UsernsMode: service.userns_mode,
    VolumesFrom: copied(service.volumes_from),
  } as { readonly [Name in keyof HostConfig]: HostConfig[Name] | undefined } & HostConfig)
}

const copied = (list: readonly string[] | undefined): string[] | undefined =>
  list === undefined ? undefined : [...list]

function exposedPorts(service: Service): Record<string, Record<string, never>> {
  const exposed: Record<string, Record<string, never>> = {}
  for (const spec of service.expose ?? []) {
    const [ports = "", protocol = "tcp"] = String(spec).split("/")
    const [first = "", last = first] = ports.split("-")
    for (let port = Number(first); port <= Number(last); port++) exposed[`${port}/${protocol}`] = {}
  }
  for (const { target, protocol } of service.ports ?? []) exposed[`${target}/${protocol}`] = {}
  return exposed
}

function portBindings(service: Service): PortMap {
  const bindings: PortMap = {}
  for (const { target, protocol, host_ip, published } of service.ports ?? []) {
    const key = `${target}/${protocol}`
    bindings[key] = [...(bindings[key] ?? []), { HostIp: host_ip ?? "", HostPort: published ?? "" }]
  }
  return bindings
}

export function healthcheckOf({ healthcheck }: Service): ContainerCreateRequest["Healthcheck"] {
  if (healthcheck === undefined) return undefined
  if (healthcheck.disable === true) return { Test: ["NONE"] }
  const time = (text: string | undefined): number | undefined => (text === undefined ? undefined : parseDuration(text))
  return given<NonNullable<ContainerCreateRequest["Healthcheck"]>>({
    Test: copied(healthcheck.test),
    Interval: time(healthcheck.interval),
    Timeout: time(healthcheck.timeout),
    Retries: healthcheck.retries,
    StartPeriod: time(healthcheck.start_period),
    StartInterval: time(healthcheck.start_interval),
  })
}

function restartPolicy(service: Service): RestartPolicy | undefined {
  const words: Readonly<Record<string, string>> = { none: "no", any: "always" }
  const policy = service.deploy?.restart_policy
  if (policy !== undefined) {
    const condition = policy.condition ?? ""
    return { Name: words[condition] ?? condition, MaximumRetryCount: policy.max_attempts ?? 0 } as RestartPolicy
  }
  if (service.restart === undefined) return undefined
  const [name = "", count = "0"] = service.restart.split(":")
  return { Name: words[name] ?? name, MaximumRetryCount: Number(count) || 0 } as RestartPolicy
}

function securityOf(
  service: Service,
  { readFile }: RequestOptions,
): { readonly options: string[] | undefined; readonly unconfined: boolean } {
  const given = service.security_opt
  const options = given
    ?.filter((option) => option !== "systempaths=unconfined")
    .map((option) => {
      const profile = /^seccomp[=:](.*)$/s.exec(option)?.[1]
      if (profile === undefined || profile === "unconfined" || profile === "builtin") return option
      return `seccomp=${JSON.stringify(JSON.parse(readFile(profile)))}`
    })
  return { options, unconfined: given?.includes("systempaths=unconfined") === true }
}

/** The network with the highest priority is the first one; by name among equals. */
export function networksByPriority(service: Service): string[] {
  const entries = Object.entries(service.networks ?? {})
  return entries
    .sort(([a, one], [b, other]) => (other?.priority ?? 0) - (one?.priority ?? 0) || (a < b ? -1 : 1))
    .map(([name]) => name)
}

function networksOf(
  project: Project,
  service: Service,
  options: RequestOptions,
): { readonly mode: string; readonly endpoints: Record<string, EndpointSettings> } {
  if (service.network_mode !== undefined) return { mode: service.network_mode, endpoints: {} }
  const names = networksByPriority(service)
  const endpoints: Record<string, EndpointSettings> = {}
  for (const [index, key] of names.entries()) {
    const network = service.networks?.[key] ?? undefined
    const settings = endpoint(network, options)
    if (index === 0 && settings.MacAddress === undefined && service.mac_address !== undefined)
      settings.MacAddress = service.mac_address
    endpoints[project.networks[key]!.name] = settings
  }
  const [first] = names
  return { mode: first === undefined ? "none" : project.networks[first]!.name, endpoints }
}

function endpoint(network: ServiceNetwork | undefined, { name, aliases, links }: RequestOptions): EndpointSettings {
  const driver = {
    ...network?.driver_opts,
    ...(network?.interface_name === undefined ? {} : { "com.docker.network.endpoint.ifname": network.interface_name }),
  }
  const hasAddress = network?.ipv4_address ?? network?.ipv6_address ?? network?.link_local_ips
  return given<EndpointSettings>({
    Aliases: [...new Set([name, ...aliases, ...(aliases.length === 0 ? [] : (network?.aliases ?? []))])],
    Links: links.length === 0 ? undefined : [...links],
    IPAMConfig:
      hasAddress === undefined
        ? undefined
        : given<NonNullable<EndpointSettings["IPAMConfig"]>>({
            IPv4Address: network?.ipv4_address,
            IPv6Address: network?.ipv6_address,
            LinkLocalIPs: copied(network?.link_local_ips),
          }),
    MacAddress: network?.mac_address,
    DriverOpts: Object.keys(driver).length === 0 ? undefined : driver,
    GwPriority: network?.gw_priority,
  })
}
