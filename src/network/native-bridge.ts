// A bridge made through rtnetlink, with its addresses, and the table of its rules. What is there already stays; what was
// there before this engine is not taken away with it.
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { crashpoint } from "../lib/crashpoint.ts"
import { DhowError, errnoName } from "../lib/errors.ts"
import { macOf, parseIp, parsePrefix } from "../lib/ip-address.ts"
import { attribute, cstr, NETLINK_NETFILTER, NetlinkSocket, nested, u32 } from "../lib/netlink.ts"
import { isOurs, markAsOurs } from "./bridge-owner.ts"
import { addAddress } from "./join.ts"
import {
  allowHairpin,
  bridgePorts,
  change,
  IFLA,
  IFLA_INFO,
  isolatePort,
  linkHeader,
  linkIndex,
  listAddresses,
  parseMac,
  RTM,
  removeLink,
  setMaster,
  setUp,
} from "./link.ts"
import { publicationsOn } from "./publications.ts"
import { PublishedPorts } from "./publish.ts"
import type { Namespace, Network, NetworkRecord } from "./record.ts"
import { NFPROTO, removeTable } from "./rules/nft.ts"
import { gatewayMode, isOn } from "./rules/policy.ts"

/** Our ends of veth pairs, by the key of their namespace; others' look different. */
export const HOST_INTERFACE = /^veth[0-9a-f]{10}[0-9a-z]?$/

/** Makes what is missing of it. Returns the ports published on it: none yet. */
export async function raiseBridge(
  host: NetlinkSocket,
  { record }: Pick<Network, "record">,
  { execRoot }: { readonly execRoot: string },
): Promise<PublishedPorts> {
  // The rules come first: nobody is on a bridge without them.
  const published = new PublishedPorts(record)
  try {
    await published.ensureTable()
    crashpoint("network.bridge:after-rules")
    raiseInterface(host, record, execRoot)
    return published
  } catch (error) {
    published.close()
    throw error
  }
}

/** Makes what is missing of a bridge that was raised, its rules anew with `rules`. Returns what was, in words. */
export async function repairBridge(
  host: NetlinkSocket,
  { id, record }: Pick<Network, "id" | "record">,
  options: {
    readonly published: PublishedPorts
    readonly rules: boolean
    readonly execRoot: string
    readonly namespaces: () => readonly Namespace[]
  },
): Promise<readonly string[]> {
  const { published, execRoot, namespaces } = options
  const made: string[] = []
  if (options.rules) await published.renewTable()
  if (options.rules || (await published.ensureTable())) {
    published.fill(namespaces().flatMap((namespace) => publicationsOn(id, namespace)))
    made.push("rules")
  }
  const isThere = linkIndex(host, record.interface) !== undefined
  const missing = ownAddresses(record).filter(
    ({ address }) => !listAddresses(host).some((other) => other.address === address),
  )
  if (isThere && missing.length === 0) return made
  raiseInterface(host, record, execRoot)
  if (isThere) return [...made, ...missing.map(({ address }) => address)]
  // The ends of veth pairs outlive their bridge.
  for (const namespace of namespaces())
    for (const endpoint of namespace.record.endpoints)
      if (endpoint.network === id && linkIndex(host, endpoint.hostInterface) !== undefined) {
        setMaster(host, endpoint.hostInterface, record.interface)
        if (!isOn(record.options, "bridge.enable_icc")) isolatePort(host, endpoint.hostInterface)
        if (namespace.record.ports.length > 0) allowHairpin(host, endpoint.hostInterface)
      }
  return [...made, "bridge"]
}

function raiseInterface(host: NetlinkSocket, record: NetworkRecord, execRoot: string): void {
  const name = record.interface
  const what = `bridge "${name}"`
  if (linkIndex(host, name) === undefined) {
    const first = parseIp(record.subnets[0]?.gateway ?? "")
    const link = change(
      RTM.NEWLINK,
      linkHeader(),
      attribute(IFLA.IFNAME, cstr(name)),
      // Without a MAC of its own it takes the lowest of its ports', which changes as containers come and go.
      ...(first === undefined ? [] : [attribute(IFLA.ADDRESS, parseMac(macOf(first)))]),
      attribute(IFLA.MTU, u32(record.mtu)),
      nested(IFLA.LINKINFO, attribute(IFLA_INFO.KIND, cstr("bridge"))),
    )
    host.request([link], what)
    markAsOurs(host, name, execRoot)
    crashpoint("network.bridge:before-address")
  }
  const index = linkIndex(host, name) ?? 0
  setIpv6(name, record.ipv6)
  for (const { address, length } of ownAddresses(record)) {
    try {
      host.request([addAddress(index, address, length)], what)
    } catch (error) {
      if (errnoName(error) !== "EEXIST") throw error
    }
  }
  host.request([setUp(index)], what)
  forward(record)
  // Answers to a connection from 127.0.0.1 through a published port come back as packets for 127.0.0.1.
  setSysctl(`net/ipv4/conf/${name}/route_localnet`, "1")
}

/** The gateways' addresses, where they are on the bridge. */
export function ownAddresses(record: NetworkRecord): { readonly address: string; readonly length: number }[] {
  return record.subnets.flatMap(({ subnet, gateway }) => {
    const prefix = parsePrefix(subnet)?.prefix
    if (prefix === undefined || gateway === "" || gatewayMode(record, prefix.family) === "isolated") return []
    const inhibited = prefix.family === 4 && INHIBITED in record.options && isOn(record.options, "bridge.inhibit_ipv4")
    return inhibited ? [] : [{ address: gateway, length: prefix.length }]
  })
}

const INHIBITED = "com.docker.network.bridge.inhibit_ipv4"

function setIpv6(name: string, wanted: boolean): void {
  const path = `net/ipv6/conf/${name}/disable_ipv6`
  if (existsSync(`/proc/sys/${path}`)) {
    setSysctl(path, wanted ? "0" : "1")
    // Nobody else is there to have its address: looking for one would keep packets from containers for two seconds.
    if (wanted) setSysctl(`net/ipv6/conf/${name}/accept_dad`, "0")
  }
  if (wanted && !existsSync(`/proc/sys/${path}`))
    throw new DhowError("unavailable", `Cannot give bridge "${name}" IPv6 addresses: this kernel has no IPv6`, {
      hint: "Make the network without --ipv6, or boot the host with IPv6",
    })
}

/** Lets the host pass packets on, in the families that the bridge has. */
function forward(record: NetworkRecord): void {
  setSysctl("net/ipv4/ip_forward", "1")
  if (!record.ipv6 || readSysctl("net/ipv6/conf/all/forwarding") === "1") return
  // A host that forwards takes no router's advice, unless told to: its own default route may be from one.
  for (const name of readdirSync("/proc/sys/net/ipv6/conf"))
    if (readSysctl(`net/ipv6/conf/${name}/accept_ra`) === "1") setSysctl(`net/ipv6/conf/${name}/accept_ra`, "2")
  setSysctl("net/ipv6/conf/all/forwarding", "1")
}

/** Takes it away with its rules, and cuts off what is still attached. A bridge that somebody else made stays. */
export async function lowerBridge(
  host: NetlinkSocket,
  name: string,
  { execRoot }: { readonly execRoot: string },
): Promise<void> {
  const ours = isOurs(host, name, execRoot)
  for (const port of bridgePorts(host, name)) if (ours || HOST_INTERFACE.test(port)) removeLink(host, port)
  using socket = new NetlinkSocket(NETLINK_NETFILTER)
  removeTable(socket, name)
  removeTable(socket, name, NFPROTO.IPV4)
  // Last: after a crash the sweep knows by its mark what was left.
  crashpoint("network.bridge:after-rules-went")
  if (ours) removeLink(host, name)
}

function readSysctl(name: string): string {
  try {
    return readFileSync(`/proc/sys/${name}`, "utf8").trim()
  } catch (error) {
    // An interface that is gone meanwhile.
    if (errnoName(error) === "ENOENT") return ""
    throw error
  }
}

function setSysctl(name: string, value: string): void {
  if (readSysctl(name) !== value) writeFileSync(`/proc/sys/${name}`, value)
}
