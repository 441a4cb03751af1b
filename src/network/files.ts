// What a container finds in /etc/resolv.conf, /etc/hosts and /etc/hostname. Pure but for the two functions that read the
// host's own files.
import { isIP } from "node:net"
import { DhowError } from "../lib/errors.ts"
import { readIfExists } from "../lib/files.ts"
import { resolverConf } from "./resolver/resolv-conf.ts"

const RESOLV_CONF = "/etc/resolv.conf"
const SYSTEMD_STUB = "127.0.0.53"
const SYSTEMD_UPSTREAM = "/run/systemd/resolve/resolv.conf"
const PUBLIC_NAMESERVERS = ["8.8.8.8", "8.8.4.4"]

/** "bridge" is any network with an address of its own; the host's loopback is not reachable there, nor under "none". */
export type FilesMode = "host" | "none" | "bridge"

export type ResolvConfOptions = {
  readonly mode: FilesMode
  /** Text of the host's file (`hostResolvConf`). */
  readonly host: string
  /** What the user (or else the daemon's configuration) asked for; empty means: as on the host. */
  readonly dns: readonly string[]
  readonly dnsSearch: readonly string[]
  readonly dnsOptions: readonly string[]
  /** Name servers of the networks themselves; they take the place of all others. */
  readonly nameservers: readonly string[]
  /** Path of the host's file, for the comment. */
  readonly source?: string
}

/** The host's resolver configuration; behind systemd's stub the one it forwards to, which containers can reach. */
export function hostResolvConf(mode: FilesMode): string {
  const text = readIfExists(RESOLV_CONF) ?? ""
  if (mode === "host") return text
  const { nameservers } = parseResolvConf(text)
  const stubOnly = nameservers.length === 1 && nameservers[0] === SYSTEMD_STUB
  return stubOnly ? (readIfExists(SYSTEMD_UPSTREAM) ?? text) : text
}

export function hostHosts(): string {
  return readIfExists("/etc/hosts") ?? ""
}

export function resolvConf(options: ResolvConfOptions): string {
  const host = parseResolvConf(options.host)
  for (const address of options.dns)
    if (isIP(address) === 0) throw new DhowError("invalid", `bad nameserver address ${address}`)
  if (options.nameservers.length > 0) return resolverConf({ source: RESOLV_CONF, ...options, host })
  const search = options.dnsSearch.length > 0 ? options.dnsSearch.filter((domain) => domain !== ".") : host.search
  const flags = options.dnsOptions.length > 0 ? options.dnsOptions : host.options
  const lines = chooseNameservers(options, host.nameservers).map((address) => `nameserver ${address}`)
  if (search.length > 0) lines.push(`search ${search.join(" ")}`)
  if (flags.length > 0) lines.push(`options ${flags.join(" ")}`)
  lines.push(...host.other)
  return lines.map((line) => `${line}\n`).join("")
}

function chooseNameservers(options: ResolvConfOptions, inherited: readonly string[]): readonly string[] {
  if (options.dns.length > 0) return options.dns
  if (options.mode !== "bridge") return inherited
  // The default bridge has no IPv6, and a loopback resolver answers only on the host itself.
  const reachable = inherited.filter((address) => isIP(address) === 4 && !address.startsWith("127."))
  return reachable.length > 0 ? reachable : PUBLIC_NAMESERVERS
}

type ResolvConf = {
  readonly nameservers: string[]
  readonly search: string[]
  readonly options: string[]
  /** Directives that are handed on as they are. */
  readonly other: string[]
}

/** resolv.conf(5): of several search lines the last counts; comments go. */
export function parseResolvConf(text: string): ResolvConf {
  const nameservers: string[] = []
  const options: string[] = []
  const other: string[] = []
  let search: string[] = []
  for (const raw of text.split("\n")) {
    const line = raw.trim()
    if (line === "" || line.startsWith("#") || line.startsWith(";")) continue
    const [directive = "", ...values] = line.split(/\s+/)
    if (directive === "nameserver") {
      const address = values[0] ?? ""
      if (isIP(address.split("%")[0] ?? "") !== 0) nameservers.push(address)
    } else if (directive === "search" || directive === "domain") search = values.filter((value) => value !== ".")
    else if (directive === "options") options.push(...values)
    else other.push(line)
  }
  return { nameservers, search, options, other }
}

export type HostsFileOptions = {
  readonly mode: FilesMode
  /** Text of the host's file (`hostHosts`), used under "host". */
  readonly host: string
  readonly hostname: string
  readonly domainname: string
  /** The container's addresses on its networks. */
  readonly addresses: readonly string[]
  /** "name:address", "name=address" or "name:host-gateway". */
  readonly extraHosts: readonly string[]
  /** Addresses of linked containers, with their names. */
  readonly links?: readonly (readonly [address: string, names: string])[]
  /** What host-gateway stands for: the default bridge's gateway. */
  readonly hostGateway: string
}

const LOCAL_NAMES = [
  ["127.0.0.1", "localhost"],
  ["::1", "localhost ip6-localhost ip6-loopback"],
  ["fe00::", "ip6-localnet"],
  ["ff00::", "ip6-mcastprefix"],
  ["ff02::1", "ip6-allnodes"],
  ["ff02::2", "ip6-allrouters"],
] as const

export function hostsFile(options: HostsFileOptions): string {
  if (options.mode === "host" && options.extraHosts.length === 0) return options.host
  const { hostname, domainname } = options
  const full = domainname === "" ? hostname : `${hostname}.${domainname}`
  const [short = ""] = full.split(".")
  const names = short === full ? full : `${full} ${short}`
  const records = [
    ...LOCAL_NAMES,
    ...options.extraHosts.map((entry) => parseExtraHost(entry, options.hostGateway)),
    ...options.addresses.map((address) => [address, names] as const),
    ...(options.links ?? []),
  ]
  return records.map(([address, text]) => `${address}\t${text}\n`).join("")
}

/** The address comes first in what is returned, as it does in the file. */
export function parseExtraHost(entry: string, hostGateway: string): readonly [string, string] {
  const match = /^([^:=\s]+)[:=](\S+)$/.exec(entry)
  const [, name = "", value = ""] = match ?? []
  if (name === "") throw new DhowError("invalid", `bad format for add-host: "${entry}"`)
  if (value === "host-gateway") {
    if (hostGateway !== "") return [hostGateway, name]
    throw new DhowError("invalid", `unable to derive the IP value for host-gateway`)
  }
  const address = value.replace(/^\[(.*)\]$/, "$1")
  if (isIP(address) === 0) throw new DhowError("invalid", `invalid IP address in add-host: "${value}"`)
  return [address, name]
}

export function hostnameFile(hostname: string): string {
  return `${hostname}\n`
}
