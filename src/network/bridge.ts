// The default bridge before it is made: its subnet chosen once, its interface claimed for this engine, and what another
// engine has left of it.
import { closeSync, openSync } from "node:fs"
import { setTimeout as sleep } from "node:timers/promises"
import { DhowError } from "../lib/errors.ts"
import { log } from "../lib/log.ts"
import type { NetlinkSocket } from "../lib/netlink.ts"
import { libc } from "../lib/syscalls/libc.ts"
import { chooseInterface, isAbandoned, otherOwner, ownerMark } from "./bridge-owner.ts"
import { hostMtu, occupiedSubnets } from "./host-routes.ts"
import { bridgePorts, linkIndex, listAddresses, openRouteSocket, pinBridge, removeLink } from "./link.ts"
import { DEFAULT_NETWORKS, defaultBridgeRecord, type Network } from "./record.ts"
import {
  chooseSubnet,
  formatAddress,
  formatSubnet,
  macOf,
  overlaps,
  parseAddress,
  parseCidr,
  type Subnet,
} from "./subnet.ts"
import type { Tables } from "./tables.ts"

const LOCK_EX = 2
const LOCK_NB = 4
const PATIENCE_MS = 20_000
const PORTS_PATIENCE_MS = 3000

export type BridgeConfig = {
  /** undefined: one is chosen that no other engine has. */
  readonly bridge: string | undefined
  readonly bip: string | undefined
  readonly execRoot: string
}

/** The row of the default bridge, with a subnet that fits the configuration and the host. */
export function settleBridge(tables: Tables, host: NetlinkSocket, config: BridgeConfig): Network {
  const known = tables.networkByName("bridge")
  const wanted = config.bip === undefined ? undefined : parseCidr(config.bip)
  const kept = known?.record.subnets[0]
  const inUse = tables.owners().length > 0
  const bridge = chooseInterface(host, config, known?.record.interface)
  if (known !== undefined && kept !== undefined) {
    const subnet = parseCidr(kept.subnet).subnet
    const asWanted =
      wanted === undefined ||
      (formatSubnet(wanted.subnet) === kept.subnet && formatAddress(wanted.address) === kept.gateway)
    const collision = occupiedSubnets(host, bridge).find((other) => overlaps(subnet, other))
    if (known.record.interface === bridge && asWanted && collision === undefined) return known
    if (inUse && otherOwner(host, known.record.interface, config.execRoot) === undefined) {
      log.warn("default bridge keeps its subnet while containers run on it", { subnet: kept.subnet, bip: config.bip })
      return known
    }
  }
  const subnet = wanted?.subnet ?? chooseSubnet(occupiedSubnets(host, bridge))
  const gateway = wanted?.address ?? subnet.base + 1
  if (subnet.prefixLength > 29)
    throw new DhowError("invalid", `The default bridge's subnet "${formatSubnet(subnet)}" is too small`, {
      hint: "Use a prefix length of at most 29",
    })
  const record = defaultBridgeRecord({
    interface: bridge,
    subnet: formatSubnet(subnet),
    gateway: formatAddress(gateway),
    mtu: hostMtu(host),
  })
  return tables.putNetwork(DEFAULT_NETWORKS.bridge, record)
}

export function subnetOf(network: Network): { readonly subnet: Subnet; readonly gateway: string } {
  const first = network.record.subnets[0]
  if (first === undefined) throw new DhowError("internal", `Network "${network.name}" has no subnet`)
  return { subnet: parseCidr(first.subnet).subnet, gateway: first.gateway }
}

/** Whether the interface is there with the gateway's address. */
export function bridgeIsUp(host: NetlinkSocket, network: Network): boolean {
  const { subnet, gateway } = subnetOf(network)
  const own = linkIndex(host, network.record.interface)
  return listAddresses(host).some(
    ({ index, address, prefixLength }) => index === own && address === gateway && prefixLength === subnet.prefixLength,
  )
}

/** With another engine's address on it, a bridge would answer for two subnets. */
export function removeAbandoned(bridge: string, execRoot: string): void {
  using host = openRouteSocket()
  if (!isAbandoned(host, bridge, execRoot)) return
  log.warn("removing a bridge that an engine left behind", { interface: bridge })
  for (const name of bridgePorts(host, bridge)) removeLink(host, name)
  removeLink(host, bridge)
}

/** Marks the bridge as this engine's; others leave it alone from then on. */
export function claimBridge(network: Network, execRoot: string): void {
  const { gateway } = subnetOf(network)
  using host = openRouteSocket()
  pinBridge(host, network.record.interface, {
    macAddress: macOf(parseAddress(gateway)),
    mtu: network.record.mtu,
    alias: ownerMark(execRoot),
  })
}

/** Resolves when the kernel has taken the interfaces of destroyed namespaces off the bridge, or is taking too long. */
export async function portsGone(host: NetlinkSocket, bridge: string): Promise<void> {
  const deadline = performance.now() + PORTS_PATIENCE_MS
  while (bridgePorts(host, bridge).length > 0 && performance.now() < deadline) await sleep(20)
}

/**
 * Runs `body` as the only one on this host that chooses and makes a bridge: two daemons starting at once would take the
 * same subnet. The lock is on the host's network namespace itself, so that no file is left behind.
 */
export async function asOnlyBridgeMaker<T>(body: () => Promise<T>): Promise<T> {
  const fd = openSync("/proc/self/ns/net", "r")
  try {
    const patience = Date.now() + PATIENCE_MS
    while (libc().flock(fd, LOCK_EX | LOCK_NB) !== 0) {
      if (Date.now() > patience) {
        log.warn("another daemon has been making its bridge for long; going on without waiting for it")
        break
      }
      await sleep(15)
    }
    return await body()
  } finally {
    closeSync(fd)
  }
}
