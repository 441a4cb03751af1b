// From a repository's name to the places where it may be asked for: a pure function of the settings. The longest prefix
// decides; what it does not say, nothing else says.
import { DhowError } from "../lib/errors.ts"
import { liesIn } from "./address-blocks.ts"
import type { HostSettings, PrefixSettings, RegistrySettings } from "./settings.ts"

export type Endpoint = {
  /** As names write it: "docker.io", "localhost:5000". */
  readonly named: string
  /** "registry-1.docker.io", "localhost:5000" */
  readonly host: string
  /** The repository's path there. */
  readonly path: string
  /** In the order in which they are tried. */
  readonly schemes: readonly ("https" | "http")[]
  readonly verify: boolean
  /** Where the host's addresses may still make it insecure. */
  readonly insecureBlocks: readonly string[]
  readonly tls: Pick<HostSettings, "ca" | "cert" | "key">
  /** Path of a file with logins for this host. */
  readonly auth?: string
  /** The user's credentials are for the registry that was named: what the settings put in its place never sees them. */
  readonly isNamed: boolean
}

type Name = { readonly domain: string; readonly path: string }

const HUB = "docker.io"
const HUB_HOST = "registry-1.docker.io"
const HUB_SEARCH = "index.docker.io"

export function resolveEndpoints(settings: RegistrySettings, name: Name, access: "pull" | "push"): readonly Endpoint[] {
  const full = `${name.domain}/${name.path}`
  const [prefix, rule] = ruleFor(settings, full)
  if (rule.blocked === true) throw blocked(full, prefix)
  const replaced = (by: string): string => by + full.slice(prefix.length)
  const mirrors = access === "pull" ? (rule.mirrors ?? []).map(replaced) : []
  const own = rule.rewrite === undefined ? defaulted(settings, full) : replaced(rule.rewrite)
  return [...mirrors.map((mirror) => endpointOf(settings, mirror, name.domain)), endpointOf(settings, own, name.domain)]
}

/** The registry itself by its host, for what concerns no repository. Whole addresses are taken too. */
export function resolveHost(settings: RegistrySettings, server: string): Endpoint {
  const named = server.replace(/^https?:\/\//, "").replace(/\/.*$/s, "")
  if (!/^[A-Za-z0-9.-]+(?::\d+)?$|^\[[0-9A-Fa-f:]+\](?::\d+)?$/.test(named))
    throw new DhowError("invalid", `unable to parse server address "${server}"`)
  const host = named === "index.docker.io" || named === HUB_HOST ? HUB : named
  const [prefix, rule] = ruleFor(settings, host)
  if (rule.blocked === true) throw blocked(host, prefix)
  return { ...endpointOf(settings, `${host}/v2`, host), path: "" }
}

/** Docker Hub is searched at another place than it is pulled from; what stands in for it is searched in its stead. */
export function resolveSearch(settings: RegistrySettings, server: string): Endpoint {
  const found = resolveHost(settings, server)
  if (found.host !== HUB_HOST) return found
  const { default: standard = HUB } = settings
  return standard === HUB ? { ...found, host: HUB_SEARCH } : resolveHost(settings, standard)
}

/** The endpoint as its host's addresses have it. */
export async function settleEndpoint(endpoint: Endpoint): Promise<Endpoint> {
  const { host, insecureBlocks, tls } = endpoint
  if (insecureBlocks.length === 0 || !(await liesIn(insecureBlocks, host))) return endpoint
  return { ...endpoint, schemes: ["https", "http"], verify: tls.ca !== undefined }
}

/** 127.0.0.0/8, ::1 and localhost need no certificate: nobody else can answer there. */
export function isLoopback(host: string): boolean {
  const name = host.replace(/:\d+$/, "").replace(/^\[|\]$/g, "")
  return name === "localhost" || name === "::1" || /^127\.\d+\.\d+\.\d+$/.test(name) || name.endsWith(".localhost")
}

function blocked(name: string, prefix: string): DhowError {
  return new DhowError("forbidden", `Registry access to "${name}" is blocked: "${prefix}" is in the configuration`)
}

function ruleFor({ prefixes = {} }: RegistrySettings, full: string): readonly [string, PrefixSettings] {
  let found: readonly [string, PrefixSettings] = ["", {}]
  for (const [prefix, rule] of Object.entries(prefixes))
    if ((full === prefix || full.startsWith(`${prefix}/`)) && prefix.length > found[0].length) found = [prefix, rule]
  return found
}

function defaulted(settings: RegistrySettings, full: string): string {
  if (settings.default === undefined || settings.default === HUB || !full.startsWith(`${HUB}/`)) return full
  return settings.default + full.slice(HUB.length)
}

function endpointOf(settings: RegistrySettings, full: string, domain: string): Endpoint {
  const named = hostOf(full)
  const path = full.slice(named.length + 1)
  if (path === "") throw new DhowError("invalid", `Registry settings lead to "${full}", which names no repository`)
  const host = named === HUB ? HUB_HOST : named
  const { insecure: said, ca, cert, key, auth } = settings.hosts?.[named] ?? {}
  const insecure = said ?? isLoopback(host)
  return {
    named,
    host,
    path,
    schemes: insecure ? ["https", "http"] : ["https"],
    verify: !insecure || ca !== undefined,
    insecureBlocks: said === undefined && !insecure && named !== HUB ? (settings.insecureBlocks ?? []) : [],
    ...(auth === undefined ? {} : { auth }),
    tls: {
      ...(ca === undefined ? {} : { ca }),
      ...(cert === undefined ? {} : { cert }),
      ...(key === undefined ? {} : { key }),
    },
    isNamed: named === domain,
  }
}

function hostOf(full: string): string {
  const slash = full.indexOf("/")
  return slash < 0 ? full : full.slice(0, slash)
}
