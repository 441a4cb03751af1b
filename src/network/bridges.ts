// The bridges of user-defined networks: raised before the first container joins, looked after where one has vanished, and
// the ports published on each. The default bridge has its own (open.ts).
import { DhowError } from "../lib/errors.ts"
import { log } from "../lib/log.ts"
import type { NetlinkSocket } from "../lib/netlink.ts"
import { linkIndex } from "./link.ts"
import { lowerBridge, ownAddresses, raiseBridge, repairBridge } from "./native-bridge.ts"
import { lowerParent, raiseParent } from "./parent-link.ts"
import { publicationsOn } from "./publications.ts"
import type { PublishedPorts } from "./publish.ts"
import type { Network } from "./record.ts"
import type { Guarded } from "./rules/guard.ts"
import type { Tables } from "./tables.ts"

export type GuardParts = {
  readonly tables: Tables
  readonly host: () => NetlinkSocket
  readonly execRoot: string
}

export function guardedBridge(
  network: Network,
  published: PublishedPorts,
  { tables, host, execRoot }: GuardParts,
): Guarded {
  return {
    bridge: network.record.interface,
    addresses: ownAddresses(network.record).map(({ address }) => address),
    repair: async ({ rules }) =>
      repairBridge(host(), network, { published, rules, execRoot, namespaces: () => tables.namespaces() }),
  }
}

export class Bridges {
  readonly #tables: Tables
  readonly #host: () => NetlinkSocket
  readonly #execRoot: string
  readonly #parts: GuardParts
  readonly #raised = new Map<string, Promise<PublishedPorts>>()
  readonly #published = new Map<string, PublishedPorts>()

  constructor(parts: GuardParts) {
    this.#tables = parts.tables
    this.#host = parts.host
    this.#execRoot = parts.execRoot
    this.#parts = parts
  }

  /** The ports of one that stands; undefined for drivers without a bridge. */
  async ready(network: Network): Promise<PublishedPorts | undefined> {
    if (network.record.configOnly) return undefined
    if (network.record.driver !== "bridge") {
      raiseParent(this.#host(), network, this.#execRoot)
      return undefined
    }
    const before = this.#raised.get(network.id)
    if (before !== undefined) {
      const published = await before
      if (linkIndex(this.#host(), network.record.interface) !== undefined) return published
      log.warn("bridge is gone; making it again", { network: network.name, interface: network.record.interface })
      this.#forget(network.id)
    }
    const raising = this.#raise(network)
    this.#raised.set(network.id, raising)
    raising.catch(() => {
      if (this.#raised.get(network.id) === raising) this.#raised.delete(network.id)
    })
    return await raising
  }

  async #raise(network: Network): Promise<PublishedPorts> {
    try {
      const published = await raiseBridge(this.#host(), network, { execRoot: this.#execRoot })
      published.fill(this.#tables.namespaces().flatMap((namespace) => publicationsOn(network.id, namespace)))
      this.#published.set(network.id, published)
      return published
    } catch (error) {
      if (error instanceof DhowError) throw error
      throw new DhowError("internal", `Cannot make bridge "${network.record.interface}" of network "${network.name}"`, {
        cause: error,
      })
    }
  }

  /** The ports of one that was raised by this engine. */
  find(id: string): PublishedPorts | undefined {
    return this.#published.get(id)
  }

  /** With its rules. What is on it is cut off. */
  async takeDown(network: Network): Promise<void> {
    await this.#raised.get(network.id)?.catch(() => undefined)
    this.#forget(network.id)
    const { driver, configOnly } = network.record
    if (configOnly) return
    if (driver === "bridge") await lowerBridge(this.#host(), network.record.interface, { execRoot: this.#execRoot })
    else if (!this.#sharesParent(network)) lowerParent(this.#host(), network, this.#execRoot)
  }

  /** Whether another network's containers are children of the same interface. */
  #sharesParent({ id, record }: Network): boolean {
    return this.#tables.networks().some((other) => other.id !== id && other.record.interface === record.interface)
  }

  /** Those that stand, for whoever looks after them. */
  guarded(): Guarded[] {
    return [...this.#published].flatMap(([id, published]) => {
      const [network] = this.#tables.networksById(id)
      return network === undefined ? [] : [guardedBridge(network, published, this.#parts)]
    })
  }

  #forget(id: string): void {
    this.#raised.delete(id)
    this.#published.get(id)?.close()
    this.#published.delete(id)
  }
}
