// The default bridge: its subnet chosen once, its interface and rules made by netavark, and made again when they are gone
// (a reboot, a flushed firewall). Netavark is asked by way of a throw-away namespace on a reserved address.
import { closeSync, openSync, readFileSync, writeFileSync } from "node:fs"
import { setTimeout as sleep } from "node:timers/promises"
import { crashpoint } from "../lib/crashpoint.ts"
import { DhowError } from "../lib/errors.ts"
import { log } from "../lib/log.ts"
import type { NetlinkSocket } from "../lib/netlink.ts"
import { libc } from "../lib/syscalls/libc.ts"
import { chooseInterface, isAbandoned, otherOwner, ownerMark } from "./bridge-owner.ts"
import { acceptForwarding, withdrawForwarding } from "./forward-policy.ts"
import { hostMtu, occupiedSubnets } from "./host-routes.ts"
import { bridgePorts, linkIndex, listAddresses, openRouteSocket, pinBridge, removeLink } from "./link.ts"
import type { Namespaces } from "./namespaces.ts"
import type { Netavark } from "./netavark.ts"
import { DEFAULT_NETWORKS, defaultBridgeRecord, type Network } from "./record.ts"
import {
  chooseSubnet,
  contains,
  formatAddress,
  formatSubnet,
  lastOf,
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

/** The address that netavark's throw-away namespaces use: the subnet's last. */
export function reservedAddress(network: Network): number {
  return lastOf(subnetOf(network).subnet) - 1
}

/** Whether the interface is there with the gateway's address. */
export function bridgeIsUp(host: NetlinkSocket, network: Network): boolean {
  const { subnet, gateway } = subnetOf(network)
  const own = linkIndex(host, network.record.interface)
  return listAddresses(host).some(
    ({ index, address, prefixLength }) => index === own && address === gateway && prefixLength === subnet.prefixLength,
  )
}

/** Lets netavark make what is missing of the bridge and its rules; all that is there stays as it is. */
export async function makeBridge(
  network: Network,
  parts: { readonly namespaces: Namespaces; readonly netavark: Netavark },
  execRoot: string,
): Promise<void> {
  removeAbandoned(network.record.interface, execRoot)
  await withThrowaway(network, parts, async (path, request) => parts.netavark.setup(path, request))
  crashpoint("network.bridge:after-netavark")
  claimBridge(network, execRoot)
  setSysctl("net/ipv4/ip_forward", "1")
  await acceptForwarding(network.record.interface)
}

/** With another engine's address on it, a bridge would answer for two subnets. */
function removeAbandoned(bridge: string, execRoot: string): void {
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

/** Answers to a connection from 127.0.0.1 through a published port come back as packets for 127.0.0.1. */
export function routeLoopback(network: Network): void {
  setSysctl(`net/ipv4/conf/${network.record.interface}/route_localnet`, "1")
}

/** Resolves when the kernel has taken the interfaces of destroyed namespaces off the bridge, or is taking too long. */
export async function portsGone(host: NetlinkSocket, bridge: string): Promise<void> {
  const deadline = performance.now() + PORTS_PATIENCE_MS
  while (bridgePorts(host, bridge).length > 0 && performance.now() < deadline) await sleep(20)
}

/** Removes the bridge and its rules, and cuts off what is still attached: netavark would leave both for its sake. */
export async function removeBridge(
  network: Network,
  parts: { readonly namespaces: Namespaces; readonly netavark: Netavark },
): Promise<void> {
  using host = openRouteSocket()
  for (const name of bridgePorts(host, network.record.interface)) removeLink(host, name)
  // Set up first: netavark only tears down completely what its namespace is attached to.
  await withThrowaway(network, parts, async (path, request) => {
    await parts.netavark.setup(path, request)
    await parts.netavark.teardown(path, request)
  })
  await withdrawForwarding(network.record.interface)
  if (removeLink(host, network.record.interface))
    log.warn("bridge was still in use; its firewall rules may be left", { interface: network.record.interface })
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

async function withThrowaway(
  network: Network,
  parts: { readonly namespaces: Namespaces },
  body: (path: string, request: Parameters<Netavark["setup"]>[1]) => Promise<void>,
): Promise<void> {
  const key = parts.namespaces.throwawayKey()
  const address = reservedAddress(network)
  const { subnet } = subnetOf(network)
  if (!contains(subnet, address)) throw new DhowError("internal", `"${formatSubnet(subnet)}" has no reserved address`)
  parts.namespaces.create(key, () => {})
  try {
    await body(parts.namespaces.path(key), { id: key, network, address: formatAddress(address) })
  } finally {
    parts.namespaces.destroy(key)
  }
}

function setSysctl(name: string, value: string): void {
  const path = `/proc/sys/${name}`
  if (readFileSync(path, "utf8").trim() !== value) writeFileSync(path, value)
}
