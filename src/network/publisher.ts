// Leads published ports to containers, on whichever bridge it is that they are left by.
import { log } from "../lib/log.ts"
import type { NetlinkSocket } from "../lib/netlink.ts"
import type { Bridges } from "./bridges.ts"
import type { DefaultBridge } from "./default-bridge.ts"
import { allowHairpin } from "./link.ts"
import { publicationsOn } from "./publications.ts"
import type { PublishedPorts } from "./publish.ts"
import type { Namespace, Network } from "./record.ts"
import type { Tables } from "./tables.ts"

export class Publisher {
  readonly #tables: Tables
  readonly #host: NetlinkSocket
  readonly #bridge: DefaultBridge
  readonly #bridges: Bridges

  constructor(parts: {
    readonly tables: Tables
    readonly host: NetlinkSocket
    readonly bridge: DefaultBridge
    readonly bridges: Bridges
  }) {
    this.#tables = parts.tables
    this.#host = parts.host
    this.#bridge = parts.bridge
    this.#bridges = parts.bridges
  }

  /** Resolves when a container can be put on the network. */
  async ready(network: Network): Promise<void> {
    if (network.id === this.#bridge.network.id) await this.#bridge.ready()
    else await this.#bridges.ready(network)
  }

  /** Undefined for drivers whose containers are reached without. */
  async on(network: Network): Promise<PublishedPorts | undefined> {
    return network.id === this.#bridge.network.id ? await this.#bridge.published() : await this.#bridges.ready(network)
  }

  /** By network id, where a namespace has ports: its networks' and the one that it joins or leaves. */
  async forNamespace({ record }: Namespace, other: Network): Promise<(id: string) => PublishedPorts | undefined> {
    const found = new Map<string, PublishedPorts>()
    if (record.ports.length > 0)
      for (const id of new Set([...record.endpoints.map(({ network }) => network), other.id])) {
        const [network] = this.#tables.networksById(id)
        const published = network === undefined ? undefined : await this.on(network)
        if (published !== undefined) found.set(id, published)
      }
    return (id) => found.get(id)
  }

  async lead(namespace: Namespace): Promise<void> {
    if (namespace.record.ports.length === 0) return
    for (const { network: id } of namespace.record.endpoints) {
      const publications = publicationsOn(id, namespace)
      const network = publications.length === 0 ? undefined : this.#tables.networksById(id)[0]
      const published = network === undefined ? undefined : await this.on(network)
      for (const publication of publications) published?.add(publication)
    }
    this.allowHairpin(namespace)
  }

  /** Logs what fails, and goes on. */
  withdraw(namespace: Namespace): void {
    for (const { network } of namespace.record.endpoints) {
      const published = network === this.#bridge.network.id ? this.#bridge.publishedNow : this.#bridges.find(network)
      try {
        for (const publication of publicationsOn(network, namespace)) published?.remove(publication)
      } catch (error) {
        log.warn("published ports could not be withdrawn", { owner: namespace.owner, error: String(error) })
      }
    }
  }

  allowHairpin({ record }: Namespace): void {
    if (record.ports.length === 0) return
    for (const { hostInterface } of record.endpoints) if (hostInterface !== "") allowHairpin(this.#host, hostInterface)
  }
}
