// The networks of one state root: hands namespaces to containers and takes them back. Rows are the truth; kernel objects
// without a row are swept.
import { crashpoint } from "../lib/crashpoint.ts"
import { DhowError, describeError } from "../lib/errors.ts"
import { log } from "../lib/log.ts"
import type { EndpointSettings, NetRate, PortMap } from "../wire/container.ts"
import type { NetworkCreateRequest } from "../wire/network.ts"
import type { NetworkInspect } from "../wire/system.ts"
import { Bridges, guardedBridge } from "./bridges.ts"
import { changePorts } from "./change-ports.ts"
import { connectNamespace, disconnectNamespace } from "./connect.ts"
import type {
  Attached,
  AttachRequest,
  Connection,
  InterfaceLimits,
  Networks,
  NetworksOptions,
  PortChange,
  PortMapping,
  RateChange,
} from "./contract.ts"
import { createNetwork, removeNetwork } from "./create.ts"
import { DefaultBridge } from "./default-bridge.ts"
import { chooseGateways, type EndpointWish, type Gateways, gatewaysOf } from "./endpoints.ts"
import { openRouteSocket } from "./link.ts"
import { findNetwork } from "./lookup.ts"
import { Namespaces } from "./namespaces.ts"
import { type Bindable, Ports } from "./ports.ts"
import { destroyNamespace, type Preparation } from "./prepare.ts"
import { bindableOn } from "./publications.ts"
import type { PublishedPorts } from "./publish.ts"
import { Publisher } from "./publisher.ts"
import { changeRate, holdToRate, limitsOf } from "./rate/change.ts"
import { forgetLimits, refuseUnlimited } from "./rate/limits.ts"
import { hasAddress, ReadyNamespaces } from "./ready.ts"
import { DEFAULT_NETWORKS, type Namespace, type Network, plainRecord, renderNetwork } from "./record.ts"
import { RESOLVER_ADDRESS } from "./resolver/contract.ts"
import { removeCommon } from "./rules/common.ts"
import { Guard } from "./rules/guard.ts"
import { Tables } from "./tables.ts"
import { removeStrayBridges, Tidying } from "./tidy.ts"
import { wishFor } from "./wishes.ts"

/** How long after a start of the engine the rules of a bridge that stands are looked after. */
const LOOK_AFTER_MS = 1000

export function openNetworks(options: NetworksOptions): Networks {
  return new HostNetworks(options)
}

type Opened = {
  readonly parts: Preparation
  readonly bridge: DefaultBridge
  readonly publisher: Publisher
  readonly guard: Guard
}

class HostNetworks implements Networks {
  readonly #options: NetworksOptions
  readonly #tables: Tables
  readonly #namespaces: Namespaces
  readonly #ports = new Ports()
  readonly #ready: ReadyNamespaces
  readonly #bridges: Bridges
  readonly #tidying = new Tidying(() => this.#parts())
  #opened: Opened | undefined

  constructor(options: NetworksOptions) {
    this.#options = options
    this.#tables = new Tables(options.database)
    this.#namespaces = new Namespaces(options.execRoot)
    this.#bridges = new Bridges({ tables: this.#tables, host: () => this.#parts().host, execRoot: options.execRoot })
    this.#ready = new ReadyNamespaces(
      () => this.#parts(),
      () => this.#bridge().network,
      () => options.pool,
    )
  }

  async open(): Promise<void> {
    for (const name of ["host", "none"] as const)
      if (this.#tables.networkByName(name) === undefined)
        this.#tables.putNetwork(name, plainRecord(DEFAULT_NETWORKS[name]))
    const parts = { tables: this.#tables, namespaces: this.#namespaces, host: openRouteSocket() }
    const bridge = new DefaultBridge(this.#options, parts, {
      ready: () => this.#ready.fill({ bridge: true }),
      gone: () => this.#ready.drain(bridge.network.id),
    })
    const publisher = new Publisher({ tables: this.#tables, host: parts.host, bridge, bridges: this.#bridges })
    const common = { ...parts, host: () => parts.host, execRoot: this.#options.execRoot }
    const guard = new Guard(() => [
      // The row says whether it is still the one that this engine has made.
      ...(bridge.publishedNow === undefined || !this.#isCurrent(bridge.network)
        ? []
        : [guardedBridge(bridge.network, bridge.publishedNow, common)]),
      ...this.#bridges.guarded(),
    ])
    this.#opened = { parts, bridge, publisher, guard }
    guard.begin()
    await bridge.claim()
    this.#namespaces.prepareDirectory()
    this.#tables.deleteStrayAddresses()
    this.#adopt()
    this.#ready.fill({ bridge: false })
    this.#adoptBridges()
    this.#options.resolver
      ?.open()
      .catch((error: unknown) => log.error("no names are answered", { error: describeError(error) }))
    // Who looks after the rules of a bridge that stands does it a little later: it serves at once.
    if (bridge.begin())
      this.#tidying.later(LOOK_AFTER_MS, () => {
        bridge.make().catch((error: unknown) => log.warn("default bridge not checked", { error: String(error) }))
      })
  }

  async attach(request: AttachRequest): Promise<Attached> {
    const wishes = this.#wishes(request)
    refuseUnlimited(
      request.rate,
      wishes.map(({ network }) => network),
    )
    this.#forget(request.owner)
    if (wishes.length === 0) {
      const attached = await this.isolate(request.owner)
      // For networks that it joins later.
      if (request.rate !== undefined) this.changeRate(request.owner, request.rate).commit()
      return attached
    }
    for (const { network } of wishes) await this.#publisher().ready(network)
    const { key, record } = this.#ready.takeJoined(wishes)
    const { name, ports, rate } = request
    const claimed = { ...record, name, ports, ...(rate === undefined ? {} : { rate }) }
    this.#tables.claimNamespace(key, request.owner, claimed)
    try {
      holdToRate(this.#parts(), claimed)
    } catch (error) {
      await this.release(request.owner)
      throw error
    }
    crashpoint("network.attach:before-publish")
    try {
      await this.#publisher().lead({ key, owner: request.owner, record: claimed })
    } catch (error) {
      await this.release(request.owner)
      throw new DhowError("internal", `Cannot publish ports of container "${request.name}"`, { cause: error })
    }
    const attached = this.#attached({ key, owner: request.owner, record: claimed })
    try {
      await this.#serveNames(key, attached, request)
    } catch (error) {
      // Without names its programs would see another world than the one that was asked for.
      await this.release(request.owner)
      throw error
    }
    return attached
  }

  async isolate(owner: string): Promise<Attached> {
    this.#forget(owner)
    const { key, record } = this.#ready.takeIsolated()
    this.#tables.claimNamespace(key, owner, record)
    return this.#attached({ key, owner, record })
  }

  async release(owner: string): Promise<void> {
    this.#forget(owner)
    this.#ports.release(owner)
    this.#ready.refill()
  }

  choosePorts(
    owner: string,
    exposed: readonly string[],
    bindings: PortMap,
    publishAll: boolean,
    to: Parameters<Networks["choosePorts"]>[4] = {},
  ): readonly PortMapping[] {
    const { name = owner.slice(0, 12), networks = new Map() } = to
    const joined = [...networks].map(([reference, settings]) => ({
      network: findNetwork(this.#tables, reference),
      settings,
    }))
    const bindable = networks.size === 0 ? {} : { bindable: this.#bindable(chooseGateways(joined)) }
    return this.#ports.choose({ owner, name, exposed, bindings, publishAll, ...bindable })
  }

  async changePorts(owner: string, change: Parameters<Networks["changePorts"]>[1]): Promise<PortChange> {
    const { host, tables } = this.#parts()
    const [namespace] = tables.namespacesOf(owner)
    const gateways = namespace === undefined ? {} : gatewaysOf(namespace.record)
    const found = new Map<string, PublishedPorts>()
    for (const id of new Set(Object.values(gateways))) {
      const network = this.#networkOf(id)
      const published = network === undefined ? undefined : await this.#publisher().on(network)
      if (published !== undefined) found.set(id, published)
    }
    const parts = { tables, host, ports: this.#ports, bindable: this.#bindable(gateways) }
    return changePorts({ ...parts, published: (id) => found.get(id) }, owner, change)
  }

  #isCurrent({ name, record }: Network): boolean {
    const row = this.#tables.networkByName(name)?.record
    return row?.interface === record.interface && row.subnets[0]?.subnet === record.subnets[0]?.subnet
  }

  #bindable(gateways: Gateways): Bindable {
    return bindableOn(this.#networkOf(gateways[4]), this.#networkOf(gateways[6]), this.#options)
  }

  changeRate(owner: string, rate: NetRate | undefined): RateChange {
    return changeRate(this.#parts(), owner, rate)
  }

  limits(owner: string): Readonly<Record<string, InterfaceLimits>> {
    return limitsOf(this.#parts(), owner)
  }

  publishedPorts(owner: string): readonly PortMapping[] {
    return this.#tables.namespacesOf(owner).flatMap(({ record }) => record.ports)
  }

  async create(request: NetworkCreateRequest): Promise<NetworkInspect> {
    // The first container on it need not wait for the process.
    this.#options.resolver?.warm()
    return renderNetwork(
      await createNetwork({ ...this.#parts(), bridges: this.#bridges, options: this.#options }, request),
      [],
    )
  }

  async remove(reference: string): Promise<NetworkInspect> {
    const network = findNetwork(this.#tables, reference)
    this.#ready.drain(network.id)
    await removeNetwork({ ...this.#parts(), bridges: this.#bridges, options: this.#options }, network)
    return renderNetwork(network, [])
  }

  async connect(
    request: Omit<AttachRequest, "networks" | "ports">,
    reference: string,
    settings: EndpointSettings,
  ): Promise<Connection> {
    const namespace = this.#namespaceOf(request.owner, request.name)
    const wish = wishFor(findNetwork(this.#tables, reference), settings, request)
    await this.#publisher().ready(wish.network)
    if (hasAddress(settings)) this.#ready.drain(wish.network.id)
    const published = await this.#publisher().forNamespace(namespace, wish.network)
    const change = connectNamespace({ ...this.#parts(), published }, namespace, wish)
    this.#publisher().allowHairpin(change.namespace)
    const attached = this.#attached(change.namespace)
    try {
      await this.#serveNames(namespace.key, attached, request)
    } catch (error) {
      change.undo()
      throw error
    }
    return { ...attached, ...change, finish: async () => {} }
  }

  async disconnect(owner: string, reference: string): Promise<Connection> {
    const namespace = this.#namespaceOf(owner, owner.slice(0, 12))
    const network = findNetwork(this.#tables, reference)
    const published = await this.#publisher().forNamespace(namespace, network)
    const change = disconnectNamespace({ ...this.#parts(), published }, namespace, network)
    return {
      ...this.#attached(change.namespace),
      commit: change.commit,
      finish: async () => change.finish(),
      undo: () => {},
    }
  }

  rename(owner: string, name: string): void {
    for (const { key, record } of this.#tables.namespacesOf(owner)) {
      const endpoints = record.endpoints.map((endpoint) => {
        const { DNSNames: names } = endpoint.settings
        if (!names) return endpoint
        const renamed = [name, ...names.filter((text) => text !== record.name)]
        return { ...endpoint, settings: { ...endpoint.settings, DNSNames: [...new Set(renamed)] } }
      })
      this.#tables.putNamespace(key, { ...record, name, endpoints })
    }
  }

  list(): NetworkInspect[] {
    const attached = this.#tables.namespaces()
    return this.#tables.networks().map((network) => renderNetwork(network, attached))
  }

  inspect(reference: string): NetworkInspect {
    return renderNetwork(findNetwork(this.#tables, reference), this.#tables.namespaces())
  }

  resolve(reference: string): { readonly id: string; readonly name: string; readonly driver: string } {
    const { id, name, record } = findNetwork(this.#tables, reference)
    return { id, name, driver: record.driver }
  }

  owners(): readonly string[] {
    return this.#tables.owners()
  }

  async sweep(alive: ReadonlySet<string>): Promise<readonly string[]> {
    const removed: string[] = []
    for (const owner of this.#tables.owners()) {
      if (alive.has(owner)) continue
      await this.release(owner)
      removed.push(`network namespace of ${owner}`)
    }
    const known = new Set(this.#tables.namespaces().map(({ key }) => key))
    for (const key of this.#namespaces.keys()) {
      if (known.has(key)) continue
      this.#namespaces.destroy(key)
      removed.push(`network namespace ${key}`)
    }
    this.#tables.deleteStrayAddresses()
    return [...removed, ...(await removeStrayBridges(this.#parts(), this.#options.execRoot)), ...this.#tidying.now()]
  }

  /** The options may have changed: ready namespaces are made to the new measure, the bridge too while nobody is on it. */
  async reconfigure(): Promise<void> {
    this.#ready.fill({ bridge: true })
    if (this.#tables.owners().length === 0) await this.#bridge().resettle()
  }

  async close(): Promise<void> {
    this.#tidying.close()
    this.#ready.close()
    this.#ports.close()
    if (this.#opened === undefined) return
    const { parts, bridge, guard } = this.#opened
    await guard.close()
    await bridge.settled()
    await this.#options.resolver?.close()
    for (const { key, record } of this.#tables.namespaces()) {
      destroyNamespace(parts, key)
      if (record.rate !== undefined) forgetLimits(parts.host, record.endpoints)
    }
    for (const key of this.#namespaces.keys()) this.#namespaces.destroy(key)
    for (const network of this.#tables.networks())
      if (network.id !== bridge.network.id) await this.#bridges.takeDown(network)
    await bridge.remove()
    await removeCommon(parts.host)
    this.#namespaces.removeDirectory()
    parts.host[Symbol.dispose]()
  }

  #wishes({ networks, address, ...joiner }: AttachRequest): EndpointWish[] {
    const wishes = [...networks].map(([reference, settings]) =>
      wishFor(findNetwork(this.#tables, reference), settings, joiner),
    )
    // The address of before is of one network; where it fits into no other's subnets it is not looked at there.
    return address === undefined ? wishes : wishes.map((wish) => ({ ...wish, address }))
  }

  #attached({ key, record }: Namespace): Attached {
    const isNamed = record.endpoints.some(({ settings }) => settings.DNSNames)
    return {
      namespace: this.#namespaces.path(key),
      endpoints: Object.fromEntries(record.endpoints.map(({ networkName, settings }) => [networkName, settings])),
      nameservers: isNamed ? [RESOLVER_ADDRESS] : [],
      ports: Object.keys(gatewaysOf(record)).length > 0 ? record.ports : [],
    }
  }

  async #serveNames(key: string, { nameservers }: Attached, { dns }: Pick<AttachRequest, "dns">): Promise<void> {
    if (nameservers.length > 0) await this.#options.resolver?.serve(key, dns?.() ?? { servers: [], ndots: false })
  }

  #namespaceOf(owner: string, name: string): Namespace {
    const [namespace] = this.#tables.namespacesOf(owner)
    if (namespace !== undefined) return namespace
    throw new DhowError("conflict", `Container "${name}" has no network namespace of its own`)
  }

  #networkOf(id: string | undefined): Network | undefined {
    return id === undefined ? undefined : this.#tables.networksById(id)[0]
  }

  /** What an earlier run left: ready namespaces go on serving, ports of containers are held again. */
  #adopt(): void {
    for (const namespace of this.#tables.namespaces()) {
      if (namespace.owner === null) this.#ready.adopt(namespace)
      else this.#ports.holdAgain(namespace.owner, namespace.record.ports)
    }
  }

  /** Bridges that containers are on: their ports are withdrawn when those end, also if nobody joins meanwhile. */
  #adoptBridges(): void {
    const owned = this.#tables.namespaces().filter(({ owner }) => owner !== null)
    for (const id of new Set(owned.flatMap(({ record }) => record.endpoints.map(({ network }) => network)))) {
      const [network] = this.#tables.networksById(id)
      if (network === undefined || network.id === this.#bridge().network.id) continue
      this.#bridges
        .ready(network)
        .catch((error: unknown) => log.warn("bridge not made", { network: network.name, error: String(error) }))
    }
  }

  /** Everything but the held ports, which may have been chosen for the attachment to come. */
  #forget(owner: string): void {
    for (const namespace of this.#tables.namespacesOf(owner)) {
      destroyNamespace(this.#parts(), namespace.key)
      if (namespace.record.rate !== undefined) forgetLimits(this.#parts().host, namespace.record.endpoints)
      this.#options.resolver?.withdraw(namespace.key)
      this.#publisher().withdraw(namespace)
      if (namespace.record.endpoints.length > 0) this.#tidying.soon()
    }
  }

  #parts(): Preparation {
    if (this.#opened === undefined) throw new DhowError("internal", "Networks are not open")
    return this.#opened.parts
  }

  #publisher(): Publisher {
    if (this.#opened === undefined) throw new DhowError("internal", "Networks are not open")
    return this.#opened.publisher
  }

  #bridge(): DefaultBridge {
    if (this.#opened === undefined) throw new DhowError("internal", "Networks are not open")
    return this.#opened.bridge
  }
}
