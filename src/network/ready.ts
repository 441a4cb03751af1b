// Namespaces for containers: ready ones where possible, for making one takes the kernel longer than all else of an
// attachment. There are some on the default bridge, some with loopback only, and some on networks that containers were
// started on lately, whose addresses are given back where somebody asks for them.
import { isKind } from "../lib/errors.ts"
import type { EndpointSettings } from "../wire/container.ts"
import type { EndpointWish } from "./endpoints.ts"
import { Pool } from "./pool.ts"
import { destroyNamespace, isUsable, type Preparation, prepareIsolated, prepareJoined } from "./prepare.ts"
import type { Namespace, Network } from "./record.ts"

/** User-defined networks that have some; the one that was used longest ago loses its own. */
const MOST_NETWORKS = 6
/** A network of one container needs none. */
const FIRST_TAKES = 1
const FEW = 2

type OnNetwork = { readonly pool: Pool<Namespace>; takes: number }

export class ReadyNamespaces {
  readonly #parts: () => Preparation
  readonly #bridge: () => Network
  readonly #size: () => number
  readonly #bridged: Pool<Namespace>
  readonly #isolated: Pool<Namespace>
  /** By network id, the one used last at the end. */
  readonly #others = new Map<string, OnNetwork>()

  /** `bridge` is the default one, `size` the number of ready ones on it. */
  constructor(parts: () => Preparation, bridge: () => Network, size: () => number) {
    this.#parts = parts
    this.#bridge = bridge
    this.#size = size
    this.#bridged = new Pool(size, () => prepareJoined(parts(), [{ network: bridge(), settings: {} }]))
    this.#isolated = new Pool(
      () => Math.min(size(), FEW),
      () => prepareIsolated(parts()),
    )
  }

  /** One with loopback only. */
  takeIsolated(): Namespace {
    return this.#isolated.take()
  }

  /** One on these networks. */
  takeJoined(wishes: readonly EndpointWish[]): Namespace {
    const [wish, second] = wishes
    if (wish !== undefined && second === undefined && isPlain(wish)) {
      if (wish.network.id === this.#bridge().id) return this.#bridged.take()
      return withWish(this.#of(wish.network).take(), wish)
    }
    for (const { network, settings, address } of wishes)
      if (address !== undefined || hasAddress(settings)) this.drain(network.id)
    try {
      return prepareJoined(this.#parts(), wishes)
    } catch (error) {
      // The last addresses may be those of ready ones.
      const isFreed = isKind(error, "unavailable") && wishes.map(({ network }) => this.drain(network.id)).includes(true)
      if (!isFreed) throw error
      return prepareJoined(this.#parts(), wishes)
    }
  }

  /** What an earlier run left ready, if it is still of use. */
  adopt(namespace: Namespace): void {
    if (!isUsable(this.#parts(), namespace, this.#bridge())) destroyNamespace(this.#parts(), namespace.key)
    else (namespace.record.endpoints.length === 0 ? this.#isolated : this.#bridged).adopt(namespace)
  }

  /** To the measure that holds now; on the default bridge where that stands. */
  fill({ bridge }: { readonly bridge: boolean }): void {
    this.#isolated.fill()
    if (bridge) this.#bridged.fill()
  }

  /** A good moment: nobody is being started. */
  refill(): void {
    for (const pool of [this.#bridged, this.#isolated, ...[...this.#others.values()].map(({ pool }) => pool)])
      pool.refill()
  }

  /** Gives up those of a network. Returns whether there were any. */
  drain(id: string): boolean {
    const pool = id === this.#bridge().id ? this.#bridged : this.#others.get(id)?.pool
    if (this.#others.delete(id)) pool?.close()
    const drained = pool?.drain() ?? []
    for (const { key } of drained) destroyNamespace(this.#parts(), key)
    return drained.length > 0
  }

  /** No more are made. */
  close(): void {
    for (const pool of [this.#bridged, this.#isolated, ...[...this.#others.values()].map(({ pool }) => pool)])
      pool.close()
  }

  #of(network: Network): Pool<Namespace> {
    const found = this.#others.get(network.id) ?? this.#begin(network)
    this.#others.delete(network.id)
    this.#others.set(network.id, found)
    found.takes++
    for (const id of [...this.#others.keys()].slice(0, -MOST_NETWORKS)) this.drain(id)
    return found.pool
  }

  #begin(network: Network): OnNetwork {
    const begun: OnNetwork = {
      takes: 0,
      pool: new Pool(
        () => (begun.takes > FIRST_TAKES ? Math.min(this.#size(), FEW) : 0),
        () => prepareJoined(this.#parts(), [{ network, settings: {} }]),
      ),
    }
    return begun
  }
}

/** One that any ready namespace on its network is good for. */
function isPlain({ settings, address }: EndpointWish): boolean {
  return (
    !settings.MacAddress &&
    !hasAddress(settings) &&
    !settings.IPAMConfig?.LinkLocalIPs?.length &&
    settings.DriverOpts?.["com.docker.network.endpoint.ifname"] === undefined &&
    address === undefined
  )
}

export function hasAddress({ IPAMConfig: config }: EndpointSettings): boolean {
  return Boolean(config?.IPv4Address || config?.IPv6Address)
}

/** A ready namespace knows nothing of what it is taken for. */
function withWish(namespace: Namespace, { settings, dnsNames }: EndpointWish): Namespace {
  const { IPAMConfig = null, Links = null, Aliases = null, DriverOpts = null, GwPriority = 0 } = settings
  const names = dnsNames === undefined ? null : [...dnsNames]
  const asked = { IPAMConfig, Links, Aliases, DriverOpts, GwPriority, DNSNames: names }
  const endpoints = namespace.record.endpoints.map((endpoint) => ({
    ...endpoint,
    settings: { ...endpoint.settings, ...asked },
  }))
  return { ...namespace, record: { ...namespace.record, endpoints } }
}
