// The default bridge: settled on a subnet, made, made again where it has vanished, and the ports published on it.
import { log } from "../lib/log.ts"
import { NETLINK_NETFILTER, NetlinkSocket } from "../lib/netlink.ts"
import { asOnlyBridgeMaker, bridgeIsUp, claimBridge, portsGone, removeAbandoned, settleBridge } from "./bridge.ts"
import { otherOwner } from "./bridge-owner.ts"
import type { NetworksOptions } from "./contract.ts"
import { linkAlias, linkIndex } from "./link.ts"
import { lowerBridge, raiseBridge } from "./native-bridge.ts"
import type { Preparation } from "./prepare.ts"
import { publicationsOn } from "./publications.ts"
import type { PublishedPorts } from "./publish.ts"
import { DEFAULT_NETWORKS, type Network } from "./record.ts"
import { acceptForwarding } from "./rules/common.ts"
import { removeNetavarkRules } from "./rules/netavark.ts"
import { hasTable, NFPROTO } from "./rules/nft.ts"

export class DefaultBridge {
  readonly #options: NetworksOptions
  readonly #parts: Preparation
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
    if (stands) {
      const ready = this.#publish().then(this.#onReady)
      this.#ready = ready
      ready.catch((error: unknown) => {
        log.warn("ports cannot be published", { error: String(error) })
        if (this.#ready === ready) this.#ready = undefined
      })
    } else this.make().catch((error: unknown) => log.warn("default bridge not made", { error: String(error) }))
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
    if (this.#published === undefined) await this.#publish()
    if (this.#published === undefined) throw new Error("The default bridge has no rules")
    return this.#published
  }

  /** The ports published now, where some ever were. */
  get publishedNow(): PublishedPorts | undefined {
    return this.#published
  }

  make(): Promise<void> {
    const making = asOnlyBridgeMaker(async () => {
      if (this.#closed) return
      this.#network = this.#settle()
      if (this.#outdated !== undefined) {
        await this.#lower(this.#outdated)
        this.#outdated = undefined
      }
      removeAbandoned(this.#network.record.interface, this.#options.execRoot)
      await this.#publish()
      await acceptForwarding()
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
    await this.#lower(this.#network)
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

  async #lower(network: Network): Promise<void> {
    await this.#forgetNetavark(network)
    await lowerBridge(this.#parts.host, network.record.interface, this.#options)
  }

  /** Raises it, and makes the kernel publish exactly what the rows say. */
  async #publish(): Promise<void> {
    const { id } = this.#network
    await this.#forgetNetavark(this.#network)
    const published = await raiseBridge(this.#parts.host, this.#network, this.#options)
    try {
      claimBridge(this.#network, this.#options.execRoot)
      published.fill(this.#parts.tables.namespaces().flatMap((namespace) => publicationsOn(id, namespace)))
    } catch (error) {
      published.close()
      throw error
    }
    this.#published?.close()
    this.#published = published
  }

  /** A table of the old layout says that an older dhow made the bridge; it is replaced afterwards. */
  async #forgetNetavark({ record }: Network): Promise<void> {
    using socket = new NetlinkSocket(NETLINK_NETFILTER)
    if (hasTable(socket, record.interface, NFPROTO.IPV4))
      await removeNetavarkRules(record.interface, record.subnets[0]?.subnet ?? "")
  }
}
