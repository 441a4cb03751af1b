// The network of one run of a container, and the three files in /etc that tell the container about it.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { DhowError } from "../../lib/errors.ts"
import { readIfExists } from "../../lib/files.ts"
import type { PortMapping } from "../../network/contract.ts"
import {
  type FilesMode,
  hostHosts,
  hostnameFile,
  hostResolvConf,
  hostsFile,
  parseResolvConf,
  resolvConf,
} from "../../network/files.ts"
import type { ServeOptions } from "../../network/resolver/contract.ts"
import { choosesNdots } from "../../network/resolver/resolv-conf.ts"
import type { RuntimeMount } from "../../oci/runtime-spec.ts"
import type { NamespaceChoice } from "../../runtime/spec-input.ts"
import type { EndpointSettings, PortMap } from "../../wire/container.ts"
import { endpointSysctls } from "./endpoint-checks.ts"
import { linkedHosts } from "./links.ts"
import { donor, donorOf } from "./namespaces.ts"
import type { ContainerParts } from "./parts.ts"
import { type ContainerPaths, containerPaths } from "./paths.ts"
import type { ContainerRecord, ProcessReference } from "./record.ts"

const RECORD = "network.json"

export type ContainerNetwork = {
  readonly choice: NamespaceChoice
  /** Path of the namespace, where it is not the host's. */
  readonly namespace: string | undefined
  readonly endpoints: Readonly<Record<string, EndpointSettings>>
  readonly ports: PortMap
  readonly mounts: readonly RuntimeMount[]
  /** Of the interfaces that were attached. */
  readonly sysctls?: Readonly<Record<string, string>>
}

/** Attaches the container as its NetworkMode says and writes its files. `networks.release(id)` undoes it. */
export async function attachNetwork(parts: ContainerParts, record: ContainerRecord): Promise<ContainerNetwork> {
  const { hostConfig, config, id } = record
  const paths = containerPaths(parts.config, id)
  const mode = hostConfig.NetworkMode ?? "bridge"
  const readOnly = hostConfig.ReadonlyRootfs ?? false
  const other = donorOf(mode)
  if (other !== undefined) {
    const { container, process } = donor(parts, other, { own: id, type: "net" })
    const path = `/proc/${process.pid}/ns/net`
    const theirs = containerPaths(parts.config, container.record.id)
    return { choice: { path }, namespace: path, endpoints: {}, ports: {}, mounts: fileMounts(theirs, { readOnly }) }
  }
  if (mode === "host") {
    writeFiles(parts, record, paths, { mode: "host", addresses: [], nameservers: [], gateway: "" })
    return {
      choice: "host",
      namespace: undefined,
      endpoints: hostEndpoint(parts, "host"),
      ports: {},
      mounts: fileMounts(paths, { readOnly }),
    }
  }
  if (mode === "none" || config.NetworkDisabled) {
    const attached = await parts.networks.isolate(id)
    writeFiles(parts, record, paths, { mode: "none", addresses: [], nameservers: [], gateway: "" })
    return {
      choice: { path: attached.namespace },
      namespace: attached.namespace,
      endpoints: hostEndpoint(parts, "none"),
      ports: {},
      mounts: fileMounts(paths, { readOnly }),
    }
  }
  const wanted = wantedNetworks(parts, record)
  const exposed = Object.keys(config.ExposedPorts ?? {})
  const bindings = hostConfig.PortBindings ?? {}
  const isPlain = Object.keys(bindings).length === 0 && !hostConfig.PublishAllPorts
  const ports = isPlain
    ? []
    : parts.networks.choosePorts(id, exposed, bindings, hostConfig.PublishAllPorts ?? false, {
        name: record.name,
        networks: wanted,
      })
  const attached = await parts.networks.attach({
    owner: id,
    name: record.name,
    hostname: config.Hostname ?? "",
    networks: wanted,
    ports,
    dns: () => nameService(parts, record),
    ...(hostConfig.NetRate ? { rate: hostConfig.NetRate } : {}),
    ...(record.pending?.kind === "restarting" && record.pending.address !== undefined
      ? { address: record.pending.address }
      : {}),
  })
  const facts = { addresses: addressesOf(attached.endpoints), nameservers: attached.nameservers }
  const gateway = Object.values(attached.endpoints)[0]?.Gateway ?? ""
  writeFiles(parts, record, paths, { ...facts, mode: "bridge", gateway })
  return {
    choice: { path: attached.namespace },
    namespace: attached.namespace,
    endpoints: attached.endpoints,
    ports: shownPorts(exposed, attached.ports),
    mounts: fileMounts(paths, { readOnly }),
    sysctls: endpointSysctls(wanted.values()),
  }
}

/** As inspect shows them: an empty list where Docker has null, which old clients trip over. */
export function shownPorts(exposed: readonly string[], ports: readonly PortMapping[]): PortMap {
  const shown: PortMap = {}
  for (const port of exposed) shown[port] = []
  for (const { protocol, containerPort, hostIp, hostPort } of ports) {
    const key = `${containerPort}/${protocol}`
    shown[key] ??= []
    shown[key].push({ HostIp: hostIp === "" ? "0.0.0.0" : hostIp, HostPort: String(hostPort) })
  }
  return shown
}

/** Who shares another's network has its name too. */
export function hostnameOf(parts: ContainerParts, { config, hostConfig }: ContainerRecord): string {
  const other = donorOf(hostConfig.NetworkMode ?? "")
  if (config.Hostname || other === undefined || hostConfig.UTSMode === "host") return config.Hostname ?? ""
  return hostnameOf(parts, parts.store.resolve(other).record)
}

/** With what was asked for on each: the network of its mode where none was named, and it has not left that since. */
export function wantedNetworks(parts: ContainerParts, record: ContainerRecord): Map<string, EndpointSettings> {
  const mode = record.hostConfig.NetworkMode ?? "bridge"
  const asked = Object.entries(record.networkingConfig.EndpointsConfig ?? {})
  const wanted = new Map<string, EndpointSettings>()
  for (const [network, settings] of asked) wanted.set(parts.networks.resolve(network).name, settings ?? {})
  if (wanted.size === 0 && !record.leftNetworks) wanted.set(parts.networks.resolve(mode).name, {})
  const { MacAddress: mac } = record.config
  const own = mac ? parts.networks.resolve(mode).name : ""
  const first = wanted.get(own)
  if (mac && first !== undefined) wanted.set(own, { ...first, MacAddress: first.MacAddress || mac })
  return wanted
}

export function addressesOf(endpoints: Readonly<Record<string, EndpointSettings>>): string[] {
  return Object.values(endpoints).flatMap(({ IPAddress, GlobalIPv6Address }) =>
    [IPAddress, GlobalIPv6Address].flatMap((address) => address || []),
  )
}

/** A running container's networks have changed: the files that tell it of them follow, in place. */
export function rewriteFiles(
  parts: ContainerParts,
  record: ContainerRecord,
  network: {
    readonly endpoints: Readonly<Record<string, EndpointSettings>>
    readonly nameservers: readonly string[]
  },
): void {
  const { endpoints, nameservers } = network
  const gateway = Object.values(endpoints)[0]?.Gateway ?? ""
  const addresses = addressesOf(endpoints)
  writeFiles(parts, record, containerPaths(parts.config, record.id), {
    mode: "bridge",
    addresses,
    nameservers,
    gateway,
    changes: true,
  })
}

/** How the resolver treats names of elsewhere; the container's resolv.conf says the same. */
export function nameService(parts: ContainerParts, { hostConfig }: ContainerRecord): ServeOptions {
  const flags = orDefault(hostConfig.DnsOptions, parts.config.dnsOptions)
  const chosen = flags.length > 0 ? flags : parseResolvConf(hostResolvConf("bridge")).options
  return {
    servers: orDefault(hostConfig.Dns, parts.config.dns),
    ndots: choosesNdots(chosen),
  }
}

function hostEndpoint(parts: ContainerParts, name: string): Record<string, EndpointSettings> {
  const { id } = parts.networks.resolve(name)
  return { [name]: { NetworkID: id } }
}

type FileFacts = {
  readonly mode: FilesMode
  readonly addresses: readonly string[]
  readonly nameservers: readonly string[]
  readonly gateway: string
  readonly changes?: boolean
}

/** With `changes`, of a container that runs: what its user wrote into resolv.conf stays, as in Docker. */
function writeFiles(
  parts: ContainerParts,
  record: ContainerRecord,
  paths: ContainerPaths,
  { changes = false, ...facts }: FileFacts,
): void {
  const { config, hostConfig } = record
  mkdirSync(paths.state, { recursive: true, mode: 0o710 })
  const hostname = config.Hostname || (facts.mode === "host" ? readHostHostname() : record.id.slice(0, 12))
  writeFileSync(paths.hostname, hostnameFile(hostname), { mode: 0o644 })
  const hosts = hostsFile({
    mode: facts.mode,
    host: facts.mode === "host" ? hostHosts() : "",
    hostname,
    domainname: config.Domainname ?? "",
    addresses: facts.addresses,
    ...(facts.mode === "bridge" ? { links: linkedHosts(parts, record) } : {}),
    extraHosts: hostConfig.ExtraHosts ?? [],
    hostGateway:
      parts.config.hostGatewayIps[0] ||
      facts.gateway ||
      (parts.networks.inspect("bridge").IPAM.Config[0]?.Gateway ?? ""),
  })
  writeFileSync(paths.hosts, hosts, { mode: 0o644 })
  const resolver = resolvConf({
    mode: facts.mode,
    host: hostResolvConf(facts.mode),
    dns: orDefault(hostConfig.Dns, parts.config.dns),
    dnsSearch: orDefault(hostConfig.DnsSearch, parts.config.dnsSearch),
    dnsOptions: orDefault(hostConfig.DnsOptions, parts.config.dnsOptions),
    nameservers: facts.nameservers,
  })
  if (changes && isEdited(paths.resolvConf)) return
  writeFileSync(paths.resolvConf, resolver, { mode: 0o644 })
  writeFileSync(`${paths.resolvConf}.hash`, Bun.hash(resolver).toString(), { mode: 0o600 })
}

/** Whether somebody wrote to it since we did. */
function isEdited(path: string): boolean {
  const hash = readIfExists(`${path}.hash`)
  return hash !== undefined && hash !== Bun.hash(readIfExists(path) ?? "").toString()
}

function orDefault(asked: readonly string[] | null | undefined, fallback: readonly string[]): readonly string[] {
  return asked && asked.length > 0 ? asked : fallback
}

function readHostHostname(): string {
  return readFileSync("/proc/sys/kernel/hostname", "utf8").trim()
}

/** The files that tell a container about its network. */
export function fileMounts(paths: ContainerPaths, options: { readonly readOnly?: boolean } = {}): RuntimeMount[] {
  const bind = (destination: string, source: string): RuntimeMount => ({
    destination,
    type: "bind",
    source,
    options: options.readOnly ? ["rbind", "rprivate", "ro"] : ["rbind", "rprivate"],
  })
  return [
    bind("/etc/resolv.conf", paths.resolvConf),
    bind("/etc/hostname", paths.hostname),
    bind("/etc/hosts", paths.hosts),
  ]
}

/** What a start has attached, kept beside the bundle: reconciliation finishes a start with it. */
export function writeNetworkRecord(paths: ContainerPaths, network: ContainerNetwork): void {
  const { namespace, endpoints, ports } = network
  writeFileSync(join(paths.bundle, RECORD), JSON.stringify({ networkNamespace: namespace, endpoints, ports }))
}

export function readNetworkRecord(paths: ContainerPaths): Omit<ProcessReference, "pid"> {
  const text = readIfExists(join(paths.bundle, RECORD))
  return text === undefined
    ? { networkNamespace: undefined, endpoints: {}, ports: {} }
    : (JSON.parse(text) as Omit<ProcessReference, "pid">)
}

export function checkNetworkMode(parts: ContainerParts, mode: string): void {
  // Whose network is shared need not be there before the start.
  if (mode.startsWith("container:")) return
  if (mode !== "host" && mode !== "none") {
    const { driver } = parts.networks.resolve(mode)
    if (driver === "host" || driver === "null")
      throw new DhowError("invalid", `network mode "${mode}" is not a network to connect to`)
  }
}
