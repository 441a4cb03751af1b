// The networks of one state root: hands namespaces to containers and takes them back. Rows are the truth; kernel objects
// without a row are swept.
import { crashpoint } from "../lib/crashpoint.ts"
import { DhowError } from "../lib/errors.ts"
import { log } from "../lib/log.ts"
import type { NetlinkSocket } from "../lib/netlink.ts"
import type { PortMap } from "../wire/container.ts"
import type { NetworkInspect } from "../wire/system.ts"
import {
  asOnlyBridgeMaker,
  bridgeIsUp,
  claimBridge,
  makeBridge,
  portsGone,
  removeBridge,
  routeLoopback,
  settleBridge,
} from "./bridge.ts"
import { otherOwner } from "./bridge-owner.ts"
import { changePorts } from "./change-ports.ts"
import type { Attached, AttachRequest, Networks, NetworksOptions, PortChange, PortMapping } from "./contract.ts"
import { allowHairpin, linkAlias, linkIndex, openRouteSocket } from "./link.ts"
import { checkDefaultBridge, findNetwork } from "./lookup.ts"
import { Namespaces } from "./namespaces.ts"
import { Netavark } from "./netavark.ts"
import { Pool } from "./pool.ts"
import { Ports } from "./ports.ts"
import { destroyNamespace, isUsable, type Preparation, prepareBridged, prepareIsolated } from "./prepare.ts"
import { PublishedPorts, publications } from "./publish.ts"
import { DEFAULT_NETWORKS, type Namespace, type Network, plainRecord, renderNetwork } from "./record.ts"
import { Tables } from "./tables.ts"
import { removeOrphanInterfaces } from "./tidy.ts"

/** How long after a start of the engine the rules of a bridge that stands are looked after. */
const LOOK_AFTER_MS = 1000
/** How long after a release the kernel should have removed its interfaces. */
const TIDY_MS = 3000

export function openNetworks(options: NetworksOptions): Networks {
  return new HostNetworks(options)
}

class HostNetworks implements Networks {
  readonly #options: NetworksOptions
  readonly #tables: Tables
  readonly #namespaces: Namespaces
  readonly #netavark: Netavark
  readonly #ports = new Ports()
  readonly #bridged: Pool<Namespace>
  readonly #isolated: Pool<Namespace>
  readonly #timers = new Set<NodeJS.Timeout>()
  #host: NetlinkSocket | undefined
  #bridge: Network | undefined
  /** Undefined when it has to be made (again) before the next attachment. */
  #bridgeReady: Promise<void> | undefined
  #making: Promise<void> | undefined
  #outdated: Network | undefined
  #published: PublishedPorts | undefined
  #tidying = false
  #closed = false

  constructor(options: NetworksOptions) {
    this.#options = options
    this.#tables = new Tables(options.database)
    this.#namespaces = new Namespaces(options.execRoot)
    this.#netavark = new Netavark(options.execRoot)
    this.#bridged = new Pool(
      () => options.pool,
      () => prepareBridged(this.#parts(), this.#settled()),
    )
    this.#isolated = new Pool(
      () => Math.min(options.pool, 2),
      () => prepareIsolated(this.#parts()),
    )
  }

  async open(): Promise<void> {
    this.#host = openRouteSocket()
    for (const name of ["host", "none"] as const)
      if (this.#tables.networkByName(name) === undefined)
        this.#tables.putNetwork(name, plainRecord(DEFAULT_NETWORKS[name]))
    this.#bridge = this.#settle()
    if (bridgeIsUp(this.#host, this.#bridge) && linkAlias(this.#host, this.#bridge.record.interface) === "")
      await asOnlyBridgeMaker(async () => {
        this.#bridge = this.#settle()
        if (bridgeIsUp(this.#parts().host, this.#bridge)) claimBridge(this.#bridge, this.#options.execRoot)
      })
    this.#namespaces.prepareDirectory()
    this.#tables.deleteStrayAddresses()
    this.#adopt(this.#bridge)
    this.#isolated.fill()
    if (!bridgeIsUp(this.#host, this.#bridge)) {
      this.#makeBridge().catch((error: unknown) => log.warn("default bridge not made", { error: String(error) }))
      return
    }
    // A bridge that stands serves at once; netavark looks after its rules a little later.
    this.#bridgeReady = this.#tryPublish().then(() => this.#bridged.fill())
    this.#later(LOOK_AFTER_MS, () => {
      this.#makeBridge().catch((error: unknown) => log.warn("default bridge not checked", { error: String(error) }))
    })
  }

  async attach(request: AttachRequest): Promise<Attached> {
    const macAddress = checkDefaultBridge(this.#tables, this.#settled(), request)
    this.#forget(request.owner)
    await this.#ready()
    const published = request.ports.length === 0 ? undefined : (this.#published ?? (await this.#publish()))
    const wish = { macAddress, address: request.address }
    const isPlain = macAddress === undefined && request.address === undefined
    const { key, record } = isPlain ? this.#bridged.take() : prepareBridged(this.#parts(), this.#settled(), wish)
    const claimed = { ...record, name: request.name, ports: request.ports }
    this.#tables.claimNamespace(key, request.owner, claimed)
    crashpoint("network.attach:before-publish")
    try {
      for (const publication of publications({ key, owner: request.owner, record: claimed })) {
        published?.add(publication)
        for (const { hostInterface } of record.endpoints) allowHairpin(this.#parts().host, hostInterface)
      }
    } catch (error) {
      await this.release(request.owner)
      throw new DhowError("internal", `Cannot publish ports of container "${request.name}"`, { cause: error })
    }
    const endpoints = Object.fromEntries(record.endpoints.map((endpoint) => [endpoint.networkName, endpoint.settings]))
    return { namespace: this.#namespaces.path(key), endpoints, nameservers: [] }
  }

  async isolate(owner: string): Promise<Attached> {
    this.#forget(owner)
    const { key, record } = this.#isolated.take()
    this.#tables.claimNamespace(key, owner, record)
    return { namespace: this.#namespaces.path(key), endpoints: {}, nameservers: [] }
  }

  async release(owner: string): Promise<void> {
    this.#forget(owner)
    this.#ports.release(owner)
    this.#bridged.refill()
    this.#isolated.refill()
  }

  choosePorts(
    owner: string,
    exposed: readonly string[],
    bindings: PortMap,
    publishAll: boolean,
    name: string = owner.slice(0, 12),
  ): readonly PortMapping[] {
    return this.#ports.choose({ owner, name, exposed, bindings, publishAll })
  }

  async changePorts(owner: string, change: Parameters<Networks["changePorts"]>[1]): Promise<PortChange> {
    const published = this.#published ?? (await this.#publish())
    return changePorts({ tables: this.#tables, ports: this.#ports, published, host: this.#parts().host }, owner, change)
  }

  publishedPorts(owner: string): readonly PortMapping[] {
    return this.#tables.namespacesOf(owner).flatMap(({ record }) => record.ports)
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
      if (known.has(key) || this.#namespaces.isThrowaway(key)) continue
      this.#namespaces.destroy(key)
      removed.push(`network namespace ${key}`)
    }
    this.#tables.deleteStrayAddresses()
    return [...removed, ...this.#tidy()]
  }

  /** The options may have changed: ready namespaces are made to the new measure, the bridge too while nobody is on it. */
  async reconfigure(): Promise<void> {
    for (const pool of [this.#bridged, this.#isolated]) pool.fill()
    const before = this.#settled().record.subnets[0]
    if (this.#tables.owners().length > 0) return
    const { subnet, gateway } = this.#settle().record.subnets[0] ?? {}
    if (before?.subnet === subnet && before?.gateway === gateway) return
    for (const { key } of this.#bridged.drain()) destroyNamespace(this.#parts(), key)
    this.#bridgeReady = undefined
    await portsGone(this.#parts().host, this.#settled().record.interface)
    await this.#makeBridge()
  }

  async close(): Promise<void> {
    this.#closed = true
    for (const timer of this.#timers) clearTimeout(timer)
    this.#bridged.close()
    this.#isolated.close()
    this.#ports.close()
    await Promise.allSettled([this.#bridgeReady, this.#making])
    if (this.#host === undefined) return
    for (const { key } of this.#tables.namespaces()) destroyNamespace(this.#parts(), key)
    for (const key of this.#namespaces.keys()) if (!this.#namespaces.isThrowaway(key)) this.#namespaces.destroy(key)
    const bridge = this.#settled()
    if (this.#bridgeReady !== undefined || linkIndex(this.#host, bridge.record.interface) !== undefined)
      await removeBridge(bridge, { namespaces: this.#namespaces, netavark: this.#netavark })
    this.#published?.removeTable()
    this.#published?.close()
    this.#namespaces.removeDirectory()
    this.#host[Symbol.dispose]()
  }

  /** Resolves when the bridge is there, whatever happened to it meanwhile. */
  async #ready(): Promise<void> {
    await (this.#bridgeReady ?? this.#makeBridge())
    if (linkIndex(this.#parts().host, this.#settled().record.interface) !== undefined) return
    log.warn("default bridge is gone; making it again", { interface: this.#settled().record.interface })
    for (const namespace of this.#bridged.drain()) destroyNamespace(this.#parts(), namespace.key)
    await this.#makeBridge()
  }

  /** Remembers a bridge that stands with another subnet than the one it shall have now. */
  #settle(): Network {
    const { host, tables } = this.#parts()
    const before = tables.networkByName(DEFAULT_NETWORKS.bridge)
    const bridge = settleBridge(tables, host, this.#options)
    const isOurs =
      before !== undefined && otherOwner(host, before.record.interface, this.#options.execRoot) === undefined
    if (isOurs && bridgeIsUp(host, before) && !bridgeIsUp(host, bridge)) this.#outdated = before
    return bridge
  }

  #makeBridge(): Promise<void> {
    const making = asOnlyBridgeMaker(async () => {
      if (this.#closed) return
      const parts = { namespaces: this.#namespaces, netavark: this.#netavark }
      this.#bridge = this.#settle()
      if (this.#outdated !== undefined) {
        await removeBridge(this.#outdated, parts)
        this.#outdated = undefined
      }
      await makeBridge(this.#bridge, parts, this.#options.execRoot)
      await this.#tryPublish()
      this.#bridged.fill()
    })
    this.#making = making
    const before = this.#bridgeReady
    this.#bridgeReady ??= making
    // A failure is tried again by whoever comes next.
    making.catch(() => {
      if (this.#bridgeReady === making) this.#bridgeReady = before
    })
    return making
  }

  /** Without nftables all works but published ports; who wants those meets the error in attach(). */
  async #tryPublish(): Promise<void> {
    await this.#publish().catch((error: unknown) => log.warn("ports cannot be published", { error: String(error) }))
  }

  /** Makes the kernel publish exactly what the rows say. */
  async #publish(): Promise<PublishedPorts> {
    const bridge = this.#settled()
    const published = new PublishedPorts(bridge.record.interface, bridge.record.subnets[0]?.subnet ?? "")
    try {
      await published.ensureTable()
      published.fill(this.#tables.namespaces().flatMap(publications))
      routeLoopback(bridge)
    } catch (error) {
      published.close()
      throw error
    }
    this.#published?.close()
    this.#published = published
    return published
  }

  /** What an earlier run left: ready namespaces go on serving, ports of containers are held again. */
  #adopt(bridge: Network): void {
    for (const namespace of this.#tables.namespaces()) {
      const { key, owner, record } = namespace
      if (owner !== null) this.#ports.holdAgain(owner, record.ports)
      else if (!isUsable(this.#parts(), namespace, bridge)) destroyNamespace(this.#parts(), key)
      else (record.endpoints.length === 0 ? this.#isolated : this.#bridged).adopt(namespace)
    }
  }

  /** Everything but the held ports, which may have been chosen for the attachment to come. */
  #forget(owner: string): void {
    for (const namespace of this.#tables.namespacesOf(owner)) {
      destroyNamespace(this.#parts(), namespace.key)
      try {
        for (const publication of publications(namespace)) this.#published?.remove(publication)
      } catch (error) {
        log.warn("published ports could not be withdrawn", { owner, error: String(error) })
      }
      if (namespace.record.endpoints.length > 0) this.#tidyLater()
    }
  }

  #tidyLater(): void {
    if (this.#tidying) return
    this.#tidying = true
    this.#later(TIDY_MS, () => {
      this.#tidying = false
      this.#tidy()
    })
  }

  #tidy(): string[] {
    return removeOrphanInterfaces(this.#parts(), this.#settled().record.interface)
  }

  #later(milliseconds: number, body: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer)
      try {
        if (!this.#closed) body()
      } catch (error) {
        log.warn("networks could not be tidied", { error: String(error) })
      }
    }, milliseconds)
    timer.unref()
    this.#timers.add(timer)
  }

  #parts(): Preparation {
    if (this.#host === undefined) throw new DhowError("internal", "Networks are not open")
    return { tables: this.#tables, namespaces: this.#namespaces, host: this.#host }
  }

  #settled(): Network {
    if (this.#bridge === undefined) throw new DhowError("internal", "Networks are not open")
    return this.#bridge
  }
}
