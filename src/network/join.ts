// What joins a network namespace to a network, through rtnetlink: an interface with its addresses, and the routes out.
// The caller is in the namespace: its sysctls are that namespace's.
import { writeFileSync } from "node:fs"
import { DhowError, errnoName } from "../lib/errors.ts"
import { type Address, bytesOf, type Family, lastOf, parseIp, prefixOf } from "../lib/ip-address.ts"
import { attribute, cstr, type NetlinkMessage, type NetlinkSocket, NLM_F, nested, u32 } from "../lib/netlink.ts"
import type { EndpointSettings } from "../wire/container.ts"
import { change, IFA, IFLA, IFLA_INFO, isolatePort, linkHeader, linkIndex, parseMac, RTM, setUp } from "./link.ts"
import type { Network } from "./record.ts"
import { isOn } from "./rules/policy.ts"

const VETH_INFO_PEER = 1
const IFLA_MACVLAN_MODE = 1
const IFLA_IPVLAN = { MODE: 1, FLAGS: 2 } as const
const MACVLAN_MODES: Readonly<Record<string, number>> = { private: 1, vepa: 2, bridge: 4, passthru: 8 }
const IPVLAN_MODES: Readonly<Record<string, number>> = { l2: 0, l3: 1, l3s: 2 }
const IPVLAN_FLAGS: Readonly<Record<string, number>> = { bridge: 0, private: 1, vepa: 2 }
const RTA = { DST: 1, OIF: 4, GATEWAY: 5 } as const
const RT_TABLE_MAIN = 254
const RTPROT_STATIC = 4
const RTN_UNICAST = 1
const RT_SCOPE_LINK = 253
const FAMILIES = { 4: 2, 6: 10 } as const
const IFA_F_NODAD = 2

/** Netlink sockets of the host and of the namespace, and a descriptor of that. */
export type Sides = { readonly host: NetlinkSocket; readonly inner: NetlinkSocket; readonly namespaceFd: number }

export type Joint = {
  readonly network: Network
  readonly settings: EndpointSettings
  /** Name of the end that stays with us, where one does. */
  readonly hostInterface: string
  /** Its name in the namespace: "eth0". */
  readonly interface: string
}

/** Makes the interface, gives it its addresses and sets it up. */
export function joinNetwork(sides: Sides, joint: Joint): void {
  const { network, settings } = joint
  const what = `interface "${joint.interface}" on "${network.record.interface}"`
  if (network.record.driver === "bridge") {
    sides.host.request([veth(sides, joint)], what)
    if (!isOn(network.record.options, "bridge.enable_icc")) isolatePort(sides.host, joint.hostInterface)
  } else addChild(sides, joint, what)
  const { inner } = sides
  const index = linkIndex(inner, joint.interface)
  if (index === undefined) throw new Error(`Interface "${joint.interface}" did not arrive in its namespace`)
  const addresses: NetlinkMessage[] = []
  if (settings.IPAddress) addresses.push(addAddress(index, settings.IPAddress, settings.IPPrefixLen ?? 32))
  if (settings.GlobalIPv6Address) {
    enableIpv6(joint.interface)
    addresses.push(addAddress(index, settings.GlobalIPv6Address, settings.GlobalIPv6PrefixLen ?? 128))
  }
  for (const text of settings.IPAMConfig?.LinkLocalIPs ?? []) {
    const family = parseIp(text)?.family
    if (family === 6) enableIpv6(joint.interface)
    addresses.push(addAddress(index, text, family === 6 ? 64 : 16))
  }
  inner.request([...addresses, setUp(index)], what)
}

/** The default route of a family through an interface: in place of any other. "" takes the route away. */
export function setDefaultRoute(inner: NetlinkSocket, family: Family, way: { name: string; gateway: string }): void {
  if (way.gateway === "") {
    removeDefaultRoute(inner, family)
    return
  }
  const index = linkIndex(inner, way.name)
  const gateway = parseIp(way.gateway)
  if (index === undefined || gateway === undefined) throw new Error(`No way out by "${way.name}"`)
  const via = attribute(RTA.GATEWAY, bytesOf(gateway))
  const body = [routeHeader(family), via, attribute(RTA.OIF, u32(index))]
  removeDefaultRoute(inner, family)
  try {
    inner.request([change(RTM.NEWROUTE, ...body)], `default route by "${way.name}"`)
  } catch (error) {
    // A gateway outside of the subnet (macvlan and its like): the way to it is the link.
    if (errnoName(error) !== "ENETUNREACH" && errnoName(error) !== "EHOSTUNREACH") throw error
    const direct = [
      routeHeader(family, { length: family === 4 ? 32 : 128, scope: RT_SCOPE_LINK }),
      attribute(RTA.DST, bytesOf(gateway)),
      attribute(RTA.OIF, u32(index)),
    ]
    inner.request([change(RTM.NEWROUTE, ...direct), change(RTM.NEWROUTE, ...body)], `default route by "${way.name}"`)
  }
}

function removeDefaultRoute(inner: NetlinkSocket, family: Family): void {
  try {
    inner.request([{ type: RTM.DELROUTE, flags: NLM_F.ACK, body: [routeHeader(family)] }], "default route")
  } catch (error) {
    if (errnoName(error) !== "ESRCH") throw error
  }
}

/** Created with one end on the bridge and the other in the namespace at once. */
function veth(
  { host, namespaceFd }: Sides,
  { network, settings, hostInterface, interface: name }: Joint,
): NetlinkMessage {
  const bridge = linkIndex(host, network.record.interface)
  if (bridge === undefined) throw new Error(`Bridge "${network.record.interface}" is gone`)
  const mtu = attribute(IFLA.MTU, u32(network.record.mtu))
  const peer = nested(
    VETH_INFO_PEER,
    linkHeader(),
    attribute(IFLA.IFNAME, cstr(name)),
    attribute(IFLA.ADDRESS, parseMac(settings.MacAddress ?? "")),
    mtu,
    attribute(IFLA.NET_NS_FD, u32(namespaceFd)),
  )
  return change(
    RTM.NEWLINK,
    linkHeader({ up: true }),
    attribute(IFLA.IFNAME, cstr(hostInterface)),
    attribute(IFLA.MASTER, u32(bridge)),
    mtu,
    nested(IFLA.LINKINFO, attribute(IFLA_INFO.KIND, cstr("veth")), nested(IFLA_INFO.DATA, peer)),
  )
}

function addChild(sides: Sides, joint: Joint, what: string): void {
  try {
    sides.host.request([child(sides, joint)], what)
  } catch (error) {
    const { driver, interface: parent } = joint.network.record
    if (errnoName(error) !== "ENOTSUP" && errnoName(error) !== "EOPNOTSUPP") throw error
    throw new DhowError("unavailable", `The kernel has no ${driver} for a container on "${parent}"`, {
      cause: error,
      hint: `Use a network of another driver, or a kernel with CONFIG_${driver.toUpperCase()}`,
    })
  }
}

/** An interface of its own on another's wire: macvlan, ipvlan. */
function child({ host, namespaceFd }: Sides, { network, settings, interface: name }: Joint): NetlinkMessage {
  const { driver, options, interface: parent } = network.record
  const link = linkIndex(host, parent)
  if (link === undefined)
    throw new DhowError("invalid", `the requested parent interface ${parent} was not found on the Docker host`)
  const data =
    driver === "macvlan"
      ? [attribute(IFLA_MACVLAN_MODE, u32(MACVLAN_MODES[options["macvlan_mode"] || "bridge"] ?? 4))]
      : [
          attribute(IFLA_IPVLAN.MODE, u16(IPVLAN_MODES[options["ipvlan_mode"] || "l2"] ?? 0)),
          attribute(IFLA_IPVLAN.FLAGS, u16(IPVLAN_FLAGS[options["ipvlan_flag"] || "bridge"] ?? 0)),
        ]
  return change(
    RTM.NEWLINK,
    linkHeader(),
    attribute(IFLA.IFNAME, cstr(name)),
    attribute(IFLA.LINK, u32(link)),
    // An ipvlan has the MAC of its parent.
    ...(driver === "macvlan" ? [attribute(IFLA.ADDRESS, parseMac(settings.MacAddress ?? ""))] : []),
    attribute(IFLA.NET_NS_FD, u32(namespaceFd)),
    nested(IFLA.LINKINFO, attribute(IFLA_INFO.KIND, cstr(driver)), nested(IFLA_INFO.DATA, ...data)),
  )
}

/** struct ifaddrmsg, then the address as local and as peer. */
export function addAddress(index: number, text: string, length: number): NetlinkMessage {
  const address = parseIp(text)
  if (address === undefined) throw new Error(`"${text}" is no address`)
  const header = Buffer.alloc(8)
  header[0] = FAMILIES[address.family]
  header[1] = length
  // Nobody else has it: it is of use at once, without asking around for a second.
  if (address.family === 6) header[2] = IFA_F_NODAD
  header.writeUInt32LE(index, 4)
  const bytes = bytesOf(address)
  const local = [attribute(IFA.LOCAL, bytes), attribute(IFA.ADDRESS, bytes)]
  return change(RTM.NEWADDR, header, ...local, ...broadcast(address, length))
}

function broadcast(address: Address, length: number): Uint8Array[] {
  if (address.family === 6 || length > 30) return []
  const last = bytesOf({ family: 4, value: lastOf(prefixOf(address, length)) })
  return [attribute(IFA.BROADCAST, last)]
}

/** struct rtmsg */
function routeHeader(family: Family, to: { readonly length?: number; readonly scope?: number } = {}): Uint8Array {
  const { length = 0, scope = 0 } = to
  return Uint8Array.of(
    FAMILIES[family],
    length,
    0,
    0,
    RT_TABLE_MAIN,
    RTPROT_STATIC,
    scope,
    RTN_UNICAST,
    ...new Uint8Array(4),
  )
}

function u16(value: number): Uint8Array {
  return Uint8Array.of(value & 0xff, value >> 8)
}

/** Namespaces begin without IPv6 (namespaces.ts): only interfaces of networks that have it are given it. */
function enableIpv6(name: string): void {
  writeFileSync(`/proc/sys/net/ipv6/conf/${name}/disable_ipv6`, "0")
}
