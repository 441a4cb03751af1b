// The Config that settings make: pure, and the place where values are checked against one another. What is wrong is thrown
// with the key, so that the caller can say where it was written.
import { resolve } from "node:path"
import type { Config, GcConfig, RegistriesConfig } from "../config.ts"
import { DhowError } from "../lib/errors.ts"
import { parsePrefix } from "../lib/ip-address.ts"
import { parseSpan } from "../lib/span.ts"
import { registriesOf } from "./registries.ts"
import { bytesOf, shareOf } from "./shapes.ts"
import type { Settings } from "./sources.ts"

/** What is wrong with the value of a key. */
export class KeyError extends DhowError {
  readonly key: string

  constructor(key: string, message: string, cause?: unknown) {
    super("invalid", message, cause === undefined ? {} : { cause })
    this.key = key
  }
}

export function buildConfig(settings: Settings, file: string): Config {
  const get = <T>(key: string): T => settings.get(key)?.value as T
  const execRoot = resolve(get<string>("exec-root"))
  const hosts = get<string[] | undefined>("hosts") ?? []
  const driver = get<string>("storage-driver")
  const init = get<string | undefined>("init-path")
  const ulimits = get<Record<string, { Soft?: number; Hard?: number }>>("default-ulimits")
  const proxies = get<Record<"http-proxy" | "https-proxy" | "no-proxy", string>>("proxies")
  const cgroupns = get<Config["defaultCgroupnsMode"]>("default-cgroupns-mode")
  const seccomp = get<string>("seccomp-profile")
  const limitRate = bytesOf(get("limit-rate"))
  return Object.freeze({
    dataRoot: resolve(get<string>("data-root")),
    execRoot,
    // Docker's name for overlayfs over unpacked layers is understood, since scripts give it.
    storageDriver: driver === "overlay2" ? "directory" : (driver as Config["storageDriver"]),
    hosts: hosts.length > 0 ? hosts : [`unix://${execRoot}/dhow.sock`],
    configFile: file,
    logLevel: get<boolean>("debug") ? "debug" : get<Config["logLevel"]>("log-level"),
    group: get<string | undefined>("group"),
    pidfile: get<string | undefined>("pidfile"),
    labels: labelsOf(get("labels")),
    defaultRuntime: defaultRuntime(get("default-runtime"), get("runtimes")),
    runtimes: get<Config["runtimes"]>("runtimes"),
    init: get<boolean>("init"),
    initPath: init,
    defaultShmSize: bytesOf(get("default-shm-size")),
    defaultIpcMode: get<Config["defaultIpcMode"]>("default-ipc-mode"),
    defaultCgroupnsMode: cgroupns,
    defaultUlimits: Object.entries(ulimits).map(([Name, { Soft = 0, Hard = 0 }]) => ({ Name, Soft, Hard })),
    noNewPrivileges: get<boolean>("no-new-privileges"),
    seccompProfile: seccomp === "builtin" || seccomp === "unconfined" ? seccomp : resolve(seccomp),
    cdiSpecDirs: get<string[]>("cdi-spec-dirs"),
    hostGatewayIps: get<string[]>("host-gateway-ips"),
    cgroupParent: resolve("/", get<string>("cgroup-parent")),
    dns: get<string[]>("dns"),
    dnsSearch: get<string[]>("dns-search"),
    dnsOptions: get<string[]>("dns-opts"),
    logDriver: get<string | undefined>("log-driver"),
    logOptions: get<Record<string, string>>("log-opts"),
    bridge: get<string | undefined>("bridge"),
    bip: get<string | undefined>("bip"),
    publishAddress: get<string>("ip"),
    networkPool: get<number>("network-pool"),
    addressPools: inKey("default-address-pools", () => addressPools(get("default-address-pools"))),
    networkOptions: get<Config["networkOptions"]>("default-network-opts"),
    limitRate: limitRate === 0 ? undefined : limitRate,
    maxConcurrentDownloads: get<number>("max-concurrent-downloads") || 4,
    maxConcurrentUploads: get<number>("max-concurrent-uploads") || 5,
    proxies: {
      ...(proxies["http-proxy"] ? { http: proxies["http-proxy"] } : {}),
      ...(proxies["https-proxy"] ? { https: proxies["https-proxy"] } : {}),
      ...(proxies["no-proxy"] ? { no: proxies["no-proxy"] } : {}),
    },
    platformCompat: get<boolean>("platform-compat"),
    volumeMountTimeout: get<number>("volume-mount-timeout"),
    gc: gcOf(get("gc")),
    registries: inKey("registries", () => registries(settings)),
  } satisfies Config)
}

/** Absent, or an empty list: the engine's own choice. */
function addressPools(pools: Config["addressPools"]): Config["addressPools"] {
  for (const { base, size } of pools ?? []) {
    const prefix = parsePrefix(base)?.prefix
    if (prefix === undefined) throw new DhowError("invalid", `invalid CIDR address: ${base}`)
    if (size > (prefix.family === 4 ? 32 : 128) || size < prefix.length)
      throw new DhowError("invalid", `invalid pools definition: network size ${size} is not in ${base}`)
  }
  return pools?.length ? pools : undefined
}

function registries(settings: Settings): RegistriesConfig {
  const get = <T>(key: string): T | undefined => settings.get(key)?.value as T | undefined
  return registriesOf({
    registries: get<RegistriesConfig>("registries"),
    "insecure-registries": get<readonly string[]>("insecure-registries"),
    "registry-mirrors": get<readonly string[]>("registry-mirrors"),
  })
}

function defaultRuntime(name: string, runtimes: Config["runtimes"]): string {
  if (["crun", "runc"].includes(name) || Object.hasOwn(runtimes, name)) return name
  throw new KeyError("default-runtime", `specified default runtime '${name}' does not exist`)
}

/** As dockerd: the same label twice is one, two values of it are an error. */
function labelsOf(labels: readonly string[]): readonly string[] {
  const values = new Map<string, string>()
  for (const label of labels) {
    const [name = "", value = ""] = label.split(/=(.*)/s)
    const before = values.get(name)
    if (before !== undefined && before !== value)
      throw new KeyError("labels", `conflict labels for ${name}=${value} and ${name}=${before}`)
    values.set(name, value)
  }
  return [...values].map(([name, value]) => `${name}=${value}`)
}

type GcFile = {
  readonly max: string
  readonly floor?: string
  readonly unused?: string
  readonly "keep-last"?: number
  readonly protect?: readonly string[]
}

function gcOf(gc: GcFile | undefined): GcConfig | undefined {
  if (gc === undefined) return undefined
  const max = shareOf(gc.max) ?? 1
  const floor = gc.floor === undefined ? Math.max(0, max - 0.1) : (shareOf(gc.floor) ?? 0)
  if (floor > max) throw new KeyError("gc", `gc.floor "${gc.floor}" is above gc.max "${gc.max}"`)
  return {
    ...{ max, floor, unused: parseSpan(gc.unused ?? "24h") },
    keepLast: gc["keep-last"] ?? 0,
    protect: gc.protect ?? ["dhow.keep"],
  }
}

/** Whatever the body throws is of this key. */
export function inKey<T>(key: string, body: () => T): T {
  try {
    return body()
  } catch (error) {
    throw new KeyError(key, error instanceof Error ? error.message : String(error), error)
  }
}
