// The networks of one state root: hands namespaces to containers and takes them back. Rows are the truth; kernel objects
// without a row are swept.
import { randomBytes } from "node:crypto"
import { DhowError } from "../lib/errors.ts"
import { log } from "../lib/log.ts"
import type { NetlinkSocket } from "../lib/netlink.ts"
import type { Database } from "../state/database.ts"
import type { EndpointSettings, PortMap } from "../wire/container.ts"
import type { NetworkInspect } from "../wire/system.ts"
import {
  asOnlyBridgeMaker,
  bridgeIsUp,
  makeBridge,
  removeBridge,
  reservedAddress,
  settleBridge,
  subnetOf,
} from "./bridge.ts"
import type { Attached, AttachRequest, Networks, PortMapping } from "./contract.ts"
import { bridgePorts, joinBridge, linkIndex, openRouteSocket, removeLink } from "./link.ts"
import { Namespaces } from "./namespaces.ts"
import { Netavark } from "./netavark.ts"
import { Pool } from "./pool.ts"
import {
  DEFAULT_NETWORKS,
  type Namespace,
  type NamespaceRecord,
  type Network,
  plainRecord,
  renderNetwork,
} from "./record.ts"
import { macOf, parseAddress } from "./subnet.ts"
import { Tables } from "./tables.ts"

export type NetworksOptions = {
  readonly database: Database
  readonly execRoot: string
  /** Interface of the default bridge. */
  readonly bridge: string
  /** Its address and subnet, where the user fixes them: "10.0.0.1/24". */
  readonly bip: string | undefined
  /** Ready namespaces to keep, of each kind. */
  readonly pool: number
}

export function openNetworks(options: NetworksOptions): Networks {
  return new HostNetworks(options)
}

class HostNetworks implements Networks {
  readonly #options: NetworksOptions
  readonly #tables: Tables
  readonly #namespaces: Namespaces
  readonly #netavark: Netavark
  readonly #bridged: Pool<Namespace>
  readonly #isolated: Pool<Namespace>
  #host: NetlinkSocket | undefined
  #bridge: Network | undefined
  #bridgeReady: Promise<void> | undefined
  #closed = false

  constructor(options: NetworksOptions) {
    this.#options = options
    this.#tables = new Tables(options.database)
    this.#namespaces = new Namespaces(options.execRoot)
    this.#netavark = new Netavark(options.execRoot)
    this.#bridged = new Pool(options.pool, () => this.#createBridged())
    this.#isolated = new Pool(Math.min(options.pool, 2), () => this.#createIsolated())
  }

  async open(): Promise<void> {
    this.#namespaces.prepareDirectory()
    this.#host = openRouteSocket()
    for (const name of ["host", "none"] as const)
      if (this.#tables.networkByName(name) === undefined)
        this.#tables.putNetwork(name, plainRecord(DEFAULT_NETWORKS[name]))
    this.#bridge = settleBridge(this.#tables, this.#options)
    this.#tables.deleteStrayAddresses()
    this.#adoptPool()
    // A bridge that stands serves at once while netavark looks after its rules; a missing one is waited for in attach().
    const making = this.#makeBridge()
    if (bridgeIsUp(this.#bridge)) this.#bridgeReady = Promise.resolve()
    making.then(
      () => this.#bridged.fill(),
      (error: unknown) => log.warn("default bridge could not be made", { error: String(error) }),
    )
    this.#isolated.fill()
  }

  async attach(request: AttachRequest): Promise<Attached> {
    const bridge = this.#plainBridge(request)
    if (this.#tables.namespacesOf(request.owner).length > 0) await this.release(request.owner)
    await (this.#bridgeReady ?? this.#makeBridge())
    const settings = [...request.networks.values()][0]
    const plain = request.ports.length === 0 && !settings?.MacAddress
    const ready = plain ? this.#bridged.take() : this.#createBridged(settings?.MacAddress)
    return this.#claim(ready, { owner: request.owner, name: request.name, ports: request.ports, bridge })
  }

  async isolate(owner: string): Promise<Attached> {
    if (this.#tables.namespacesOf(owner).length > 0) await this.release(owner)
    return this.#claim(this.#isolated.take(), { owner, name: "", ports: [], bridge: undefined })
  }

  async release(owner: string): Promise<void> {
    for (const namespace of this.#tables.namespacesOf(owner)) this.#destroy(namespace.key)
  }

  choosePorts(
    _owner: string,
    _exposed: readonly string[],
    bindings: PortMap,
    publishAll: boolean,
  ): readonly PortMapping[] {
    if (!publishAll && Object.values(bindings).every((list) => list === null || list.length === 0)) return []
    throw new DhowError("not-implemented", "Published ports are not there yet")
  }

  list(): NetworkInspect[] {
    const attached = this.#tables.namespaces()
    return this.#tables.networks().map((network) => renderNetwork(network, attached))
  }

  inspect(reference: string): NetworkInspect {
    return renderNetwork(this.#find(reference), this.#tables.namespaces())
  }

  resolve(reference: string): { readonly id: string; readonly name: string; readonly driver: string } {
    const { id, name, record } = this.#find(reference)
    return { id, name, driver: record.driver }
  }

  owners(): readonly string[] {
    return this.#tables.owners()
  }

  async sweep(alive: ReadonlySet<string>): Promise<readonly string[]> {
    const removed: string[] = []
    for (const { key, owner } of this.#tables.namespaces()) {
      if (owner === null || alive.has(owner)) continue
      this.#destroy(key)
      removed.push(`network namespace of ${owner}`)
    }
    const known = new Set(this.#tables.namespaces().map(({ key }) => key))
    for (const key of this.#namespaces.keys()) {
      if (known.has(key) || key.startsWith(`setup-${process.pid}-`)) continue
      this.#namespaces.destroy(key)
      removed.push(`network namespace ${key}`)
    }
    this.#tables.deleteStrayAddresses()
    return removed
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#bridged.close()
    this.#isolated.close()
    await this.#bridgeReady?.catch(() => {})
    for (const { key } of this.#tables.namespaces()) this.#destroy(key)
    for (const key of this.#namespaces.keys()) this.#namespaces.destroy(key)
    if (this.#host !== undefined && this.#bridge !== undefined) {
      for (const name of bridgePorts(this.#host, this.#bridge.record.interface)) removeLink(this.#host, name)
      await removeBridge(this.#bridge, { namespaces: this.#namespaces, netavark: this.#netavark })
    }
    this.#namespaces.removeDirectory()
    this.#host?.[Symbol.dispose]()
  }

  #find(reference: string): Network {
    const byName = this.#tables.networkByName(reference === "default" ? "bridge" : reference)
    if (byName !== undefined) return byName
    const [found, second] = /^[0-9a-f]+$/.test(reference) ? this.#tables.networksById(reference) : []
    if (found === undefined) throw new DhowError("not-found", `network ${reference} not found`)
    if (second !== undefined)
      throw new DhowError("invalid", `network ${reference} is ambiguous (2 matches found on ID prefix)`)
    return found
  }

  /** The default bridge, after refusing what Docker refuses on it. */
  #plainBridge(request: AttachRequest): Network {
    const bridge = this.#bridge
    if (bridge === undefined) throw new DhowError("internal", "Networks are not open")
    for (const [reference, settings] of request.networks) {
      const network = this.#find(reference)
      if (network.id !== bridge.id)
        throw new DhowError("invalid", `Container "${request.name}" cannot be attached to network "${network.name}"`)
      if (settings.IPAMConfig?.IPv4Address)
        throw new DhowError("invalid", "user specified IP address is supported on user defined networks only")
      if (settings.Aliases !== undefined && settings.Aliases !== null && settings.Aliases.length > 0)
        throw new DhowError("invalid", "network-scoped aliases are only supported for user-defined networks")
    }
    return bridge
  }

  #makeBridge(): Promise<void> {
    const making = asOnlyBridgeMaker(async () => {
      if (this.#closed) return
      this.#bridge = settleBridge(this.#tables, this.#options)
      await makeBridge(this.#bridge, { namespaces: this.#namespaces, netavark: this.#netavark })
    })
    this.#bridgeReady = making
    // A failure is tried again by whoever comes next.
    making.catch(() => {
      if (this.#bridgeReady === making) this.#bridgeReady = undefined
    })
    return making
  }

  #createBridged(macAddress?: string): Namespace {
    const { bridge, host } = this.#opened()
    const key = randomBytes(5).toString("hex")
    const { subnet, gateway } = subnetOf(bridge)
    const reserved = new Set([parseAddress(gateway), reservedAddress(bridge)])
    const address = this.#tables.takeAddress(bridge, subnet, reserved, key)
    const settings: EndpointSettings = {
      IPAMConfig: null,
      Links: null,
      Aliases: null,
      MacAddress: macAddress ?? macOf(parseAddress(address)),
      DriverOpts: null,
      GwPriority: 0,
      NetworkID: bridge.id,
      EndpointID: randomBytes(32).toString("hex"),
      Gateway: gateway,
      IPAddress: address,
      IPPrefixLen: subnet.prefixLength,
      IPv6Gateway: "",
      GlobalIPv6Address: "",
      GlobalIPv6PrefixLen: 0,
      DNSNames: null,
    }
    const hostInterface = `veth${key}`
    try {
      this.#namespaces.create(key, (inner, namespaceFd) =>
        joinBridge(host, inner, namespaceFd, {
          hostInterface,
          containerInterface: "eth0",
          bridge: bridge.record.interface,
          address,
          prefixLength: subnet.prefixLength,
          gateway,
          macAddress: settings.MacAddress ?? "",
          mtu: bridge.record.mtu,
        }),
      )
      const endpoint = { network: bridge.id, networkName: bridge.name, hostInterface, settings }
      return this.#insert(key, { name: "", endpoints: [endpoint], ports: [] })
    } catch (error) {
      this.#destroy(key)
      throw new DhowError("internal", `Cannot attach a container to "${bridge.record.interface}"`, { cause: error })
    }
  }

  #createIsolated(): Namespace {
    const key = randomBytes(5).toString("hex")
    this.#namespaces.create(key, () => {})
    return this.#insert(key, { name: "", endpoints: [], ports: [] })
  }

  #insert(key: string, record: NamespaceRecord): Namespace {
    this.#tables.insertNamespace(key, record)
    return { key, owner: null, record }
  }

  #claim(
    { key, record }: Namespace,
    claim: Pick<AttachRequest, "owner" | "name" | "ports"> & { readonly bridge: Network | undefined },
  ): Attached {
    this.#tables.claimNamespace(key, claim.owner, { ...record, name: claim.name, ports: claim.ports })
    const endpoints = Object.fromEntries(record.endpoints.map((endpoint) => [endpoint.networkName, endpoint.settings]))
    return { namespace: this.#namespaces.path(key), endpoints, nameservers: [] }
  }

  /** The row first: a crash here leaves a namespace for the sweep, not an owner without one. */
  #destroy(key: string): void {
    try {
      this.#tables.deleteNamespace(key)
      this.#namespaces.destroy(key)
    } catch (error) {
      log.warn("network namespace could not be removed", { key, error: String(error) })
    }
  }

  /** Ready namespaces of an earlier run go on serving, unless they are gone or belong to another subnet. */
  #adoptPool(): void {
    const { bridge, host } = this.#opened()
    for (const namespace of this.#tables.namespaces()) {
      if (namespace.owner !== null) continue
      const [endpoint] = namespace.record.endpoints
      const usable =
        this.#namespaces.exists(namespace.key) &&
        (endpoint === undefined ||
          (endpoint.settings.Gateway === subnetOf(bridge).gateway &&
            linkIndex(host, endpoint.hostInterface) !== undefined))
      if (!usable) this.#destroy(namespace.key)
      else (endpoint === undefined ? this.#isolated : this.#bridged).adopt(namespace)
    }
  }

  #opened(): { readonly bridge: Network; readonly host: NetlinkSocket } {
    if (this.#bridge === undefined || this.#host === undefined) throw new DhowError("internal", "Networks are not open")
    return { bridge: this.#bridge, host: this.#host }
  }
}
