// The default bridge: settled on a subnet, made, made again where it has vanished, and the ports published on it.
import { log } from "../lib/log.ts"
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
import type { NetworksOptions } from "./contract.ts"
import { linkAlias, linkIndex } from "./link.ts"
import { Netavark } from "./netavark.ts"
import type { Preparation } from "./prepare.ts"
import { publicationsOn } from "./publications.ts"
import { PublishedPorts } from "./publish.ts"
import { DEFAULT_NETWORKS, type Network } from "./record.ts"

export class DefaultBridge {
  readonly #options: NetworksOptions
  readonly #parts: Preparation
  readonly #netavark: Netavark
  /** Told when the bridge stands: namespaces can be made ready. */
  readonly #onReady: () => void
  /** Told when it is gone or another one: namespaces that were made ready are of no use. */
  readonly #onGone: () => void
  #network: Network
  /** Undefined when it has to be made (again) before the next attachment. */
  #ready: Promise<void> | undefined
  #making: Promise<void> | undefined
  #outdated: Network | undefined
  #published: PublishedPorts | undefined
  #closed = false

  constructor(
    options: NetworksOptions,
    parts: Preparation,
    on: { readonly ready: () => void; readonly gone: () => void },
  ) {
    this.#options = options
    this.#parts = parts
    this.#netavark = new Netavark(options.execRoot)
    this.#onReady = on.ready
    this.#onGone = on.gone
    this.#network = this.#settle()
  }

  get network(): Network {
    return this.#network
  }

  /** One that stands is ours from here on, unless another engine was quicker. */
  async claim(): Promise<void> {
    const { host } = this.#parts
    if (!bridgeIsUp(host, this.#network) || linkAlias(host, this.#network.record.interface) !== "") return
    await asOnlyBridgeMaker(async () => {
      this.#network = this.#settle()
      if (bridgeIsUp(host, this.#network)) claimBridge(this.#network, this.#options.execRoot)
    })
  }

  /** Makes it, or takes the one that stands. Returns whether it stands already. */
  begin(): boolean {
    const stands = bridgeIsUp(this.#parts.host, this.#network)
    if (stands) this.#ready = this.#tryPublish().then(this.#onReady)
    else this.make().catch((error: unknown) => log.warn("default bridge not made", { error: String(error) }))
    return stands
  }

  /** Resolves when the bridge is there, whatever happened to it meanwhile. */
  async ready(): Promise<void> {
    await (this.#ready ?? this.make())
    const name = this.#network.record.interface
    if (linkIndex(this.#parts.host, name) !== undefined) return
    log.warn("default bridge is gone; making it again", { interface: name })
    this.#onGone()
    await this.make()
  }

  async published(): Promise<PublishedPorts> {
    return this.#published ?? (await this.#publish())
  }

  /** The ports published now, where some ever were. */
  get publishedNow(): PublishedPorts | undefined {
    return this.#published
  }

  make(): Promise<void> {
    const making = asOnlyBridgeMaker(async () => {
      if (this.#closed) return
      const parts = { namespaces: this.#parts.namespaces, netavark: this.#netavark }
      this.#network = this.#settle()
      if (this.#outdated !== undefined) {
        await removeBridge(this.#outdated, parts)
        this.#outdated = undefined
      }
      await makeBridge(this.#network, parts, this.#options.execRoot)
      await this.#tryPublish()
      this.#onReady()
    })
    this.#making = making
    const before = this.#ready
    this.#ready ??= making
    // A failure is tried again by whoever comes next.
    making.catch(() => {
      if (this.#ready === making) this.#ready = before
    })
    return making
  }

  /** With the subnet that it is to have now. Nobody may be on it. */
  async resettle(): Promise<void> {
    const before = this.#network.record.subnets[0]
    const { subnet, gateway } = this.#settle().record.subnets[0] ?? {}
    if (before?.subnet === subnet && before?.gateway === gateway) return
    this.#onGone()
    this.#ready = undefined
    await portsGone(this.#parts.host, this.#network.record.interface)
    await this.make()
  }

  /** Nothing is made from here on. */
  async settled(): Promise<void> {
    this.#closed = true
    await Promise.allSettled([this.#ready, this.#making])
  }

  async remove(): Promise<void> {
    const parts = { namespaces: this.#parts.namespaces, netavark: this.#netavark }
    if (this.#ready !== undefined || linkIndex(this.#parts.host, this.#network.record.interface) !== undefined)
      await removeBridge(this.#network, parts)
    this.#published?.removeTable()
    this.#published?.close()
  }

  /** Remembers a bridge that stands with another subnet than the one it shall have now. */
  #settle(): Network {
    const { host, tables } = this.#parts
    const before = tables.networkByName(DEFAULT_NETWORKS.bridge)
    const bridge = settleBridge(tables, host, this.#options)
    const isOurs =
      before !== undefined && otherOwner(host, before.record.interface, this.#options.execRoot) === undefined
    if (isOurs && bridgeIsUp(host, before) && !bridgeIsUp(host, bridge)) this.#outdated = before
    return bridge
  }

  /** Without nftables all works but published ports; who wants those meets the error in attach(). */
  async #tryPublish(): Promise<void> {
    await this.#publish().catch((error: unknown) => log.warn("ports cannot be published", { error: String(error) }))
  }

  /** Makes the kernel publish exactly what the rows say. */
  async #publish(): Promise<PublishedPorts> {
    const { id, record } = this.#network
    const published = new PublishedPorts(record.interface, record.subnets[0]?.subnet ?? "")
    try {
      await published.ensureTable()
      published.fill(this.#parts.tables.namespaces().flatMap((namespace) => publicationsOn(id, namespace)))
      routeLoopback(this.#network)
    } catch (error) {
      published.close()
      throw error
    }
    this.#published?.close()
    this.#published = published
    return published
  }
}
