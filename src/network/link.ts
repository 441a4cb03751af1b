// Interfaces through rtnetlink: found, changed, removed. No process is started on this path
// (docs/adr/0007-native-endpoints.md).
import { errnoName } from "../lib/errors.ts"
import { formatIp } from "../lib/ip-address.ts"
import {
  attribute,
  cstr,
  NETLINK_ROUTE,
  type NetlinkMessage,
  NetlinkSocket,
  NLM_F,
  nested,
  readAttributes,
  u32,
} from "../lib/netlink.ts"

export const RTM = {
  NEWLINK: 16,
  DELLINK: 17,
  GETLINK: 18,
  SETLINK: 19,
  NEWADDR: 20,
  GETADDR: 22,
  NEWROUTE: 24,
  DELROUTE: 25,
} as const
export const IFLA = {
  ADDRESS: 1,
  IFNAME: 3,
  MTU: 4,
  LINK: 5,
  MASTER: 10,
  PROTINFO: 12,
  LINKINFO: 18,
  IFALIAS: 20,
  NET_NS_FD: 28,
} as const
export const IFLA_INFO = { KIND: 1, DATA: 2 } as const
export const IFA = { ADDRESS: 1, LOCAL: 2, BROADCAST: 4 } as const
const IFF_UP = 1
const AF_BRIDGE = 7
const IFLA_BRPORT = { MODE: 4, ISOLATED: 33 } as const

/** Loopback is index 1 in every namespace. */
export function setLoopbackUp(inner: NetlinkSocket): void {
  inner.request([setUp(1)], "loopback up")
}

/** The index of the interface, or undefined where there is none. */
export function linkIndex(socket: NetlinkSocket, name: string): number | undefined {
  return getLink(socket, name)?.readInt32LE(4)
}

function getLink(socket: NetlinkSocket, name: string): Buffer | undefined {
  const get = { type: RTM.GETLINK, flags: NLM_F.ACK, body: [linkHeader(), attribute(IFLA.IFNAME, cstr(name))] }
  try {
    return socket.request([get], `interface "${name}"`)[0]?.body
  } catch (error) {
    if (errnoName(error) === "ENODEV") return undefined
    throw error
  }
}

export type InterfaceAddress = { readonly index: number; readonly address: string; readonly prefixLength: number }

/** Addresses of both families of all interfaces, also of those without a carrier, which node:os leaves out. */
export function listAddresses(socket: NetlinkSocket): InterfaceAddress[] {
  const dump = { type: RTM.GETADDR, flags: NLM_F.DUMP, body: [Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0)] }
  const found: InterfaceAddress[] = []
  for (const { type, body } of socket.request([dump], "addresses")) {
    const attributes = readAttributes(body.subarray(8))
    const address = attributes.get(IFA.LOCAL) ?? attributes.get(IFA.ADDRESS)
    if (type !== RTM.NEWADDR || address === undefined) continue
    found.push({
      index: body.readUInt32LE(4),
      address: formatIp({ family: address.length === 4 ? 4 : 6, value: BigInt(`0x${address.toString("hex")}`) }),
      prefixLength: body.readUInt8(1),
    })
  }
  return found
}

/** Names of the interfaces that are ports of the bridge. */
export function bridgePorts(host: NetlinkSocket, bridge: string): string[] {
  const master = linkIndex(host, bridge)
  if (master === undefined) return []
  return listLinks(host).flatMap((link) => (link.master === master ? [link.name] : []))
}

export type Link = { readonly name: string; readonly alias: string; readonly master: number | undefined }

export function listLinks(host: NetlinkSocket): Link[] {
  const dump = { type: RTM.GETLINK, flags: NLM_F.DUMP, body: [linkHeader()] }
  return host.request([dump], "interfaces").flatMap(({ type, body }) => {
    if (type !== RTM.NEWLINK) return []
    const attributes = readAttributes(body.subarray(16))
    return [
      {
        name: textOf(attributes.get(IFLA.IFNAME)),
        alias: textOf(attributes.get(IFLA.IFALIAS)),
        master: attributes.get(IFLA.MASTER)?.readUInt32LE(0),
      },
    ]
  })
}

function textOf(bytes: Buffer | undefined): string {
  return bytes === undefined ? "" : bytes.toString().replace(/\0.*$/s, "")
}

/** Takes the interface away, and with a veth its other end. Returns false where there is none. */
export function removeLink(host: NetlinkSocket, name: string): boolean {
  try {
    const body = [linkHeader(), attribute(IFLA.IFNAME, cstr(name))]
    host.request([{ type: RTM.DELLINK, flags: NLM_F.ACK, body }], `remove interface "${name}"`)
    return true
  } catch (error) {
    if (errnoName(error) === "ENODEV") return false
    throw error
  }
}

/**
 * Marks the bridge as ours, and gives it a MAC of its own. Without one it takes the lowest of its ports', which changes
 * as containers come and go and leaves every neighbour with a stale ARP entry.
 */
export function pinBridge(
  host: NetlinkSocket,
  bridge: string,
  { macAddress, mtu, alias }: { readonly macAddress: string; readonly mtu: number; readonly alias: string },
): void {
  const index = linkIndex(host, bridge)
  if (index === undefined) throw new Error(`Bridge "${bridge}" is gone`)
  const settings = [
    attribute(IFLA.ADDRESS, parseMac(macAddress)),
    attribute(IFLA.MTU, u32(mtu)),
    attribute(IFLA.IFALIAS, Buffer.from(alias)),
  ]
  const body = [linkHeader({ index }), ...settings]
  host.request([{ type: RTM.NEWLINK, flags: NLM_F.ACK, body }], `bridge "${bridge}"`)
}

/**
 * Lets the bridge send a frame back through the port it came from: with bridge-nf-call-iptables a container that connects
 * to its own published port is redirected within the bridge, and would be dropped there.
 */
export function allowHairpin(host: NetlinkSocket, hostInterface: string): void {
  setPort(host, hostInterface, IFLA_BRPORT.MODE)
}

/** Keeps frames of this port from other ports that are kept so: what is left is the bridge itself. */
export function isolatePort(host: NetlinkSocket, hostInterface: string): void {
  setPort(host, hostInterface, IFLA_BRPORT.ISOLATED)
}

function setPort(host: NetlinkSocket, hostInterface: string, flag: number): void {
  const header = linkHeader({ family: AF_BRIDGE, index: linkIndex(host, hostInterface) ?? 0 })
  const body = [header, nested(IFLA.PROTINFO, attribute(flag, Uint8Array.of(1)))]
  host.request([{ type: RTM.SETLINK, flags: NLM_F.ACK, body }], `port "${hostInterface}" of a bridge`)
}

/** The interface's largest packet, or undefined where there is no such interface. */
export function linkMtu(socket: NetlinkSocket, name: string): number | undefined {
  const link = getLink(socket, name)
  return link === undefined ? undefined : readAttributes(link.subarray(16)).get(IFLA.MTU)?.readUInt32LE(0)
}

/** Makes the interface a port of the bridge. */
export function setMaster(host: NetlinkSocket, name: string, bridge: string): void {
  const master = attribute(IFLA.MASTER, u32(linkIndex(host, bridge) ?? 0))
  const body = [linkHeader({ index: linkIndex(host, name) ?? 0, up: true }), master]
  host.request([{ type: RTM.NEWLINK, flags: NLM_F.ACK, body }], `port "${name}" of bridge "${bridge}"`)
}

/** Writes a text on the interface; the kernel takes none while one is made. */
export function setLinkAlias(host: NetlinkSocket, name: string, alias: string): void {
  const body = [linkHeader({ index: linkIndex(host, name) ?? 0 }), attribute(IFLA.IFALIAS, Buffer.from(alias))]
  host.request([{ type: RTM.NEWLINK, flags: NLM_F.ACK, body }], `mark of "${name}"`)
}

/** The text that somebody wrote on the interface, "" for none or where there is no such interface. */
export function linkAlias(socket: NetlinkSocket, name: string): string {
  const link = getLink(socket, name)
  return link === undefined ? "" : textOf(readAttributes(link.subarray(16)).get(IFLA.IFALIAS))
}

export function openRouteSocket(): NetlinkSocket {
  return new NetlinkSocket(NETLINK_ROUTE)
}

export function change(type: number, ...body: readonly Uint8Array[]): NetlinkMessage {
  return { type, flags: NLM_F.ACK | NLM_F.CREATE | NLM_F.EXCL, body }
}

/** struct ifinfomsg */
export function linkHeader(
  link: { readonly family?: number; readonly index?: number; readonly up?: boolean } = {},
): Uint8Array {
  const bytes = Buffer.alloc(16)
  bytes[0] = link.family ?? 0
  bytes.writeInt32LE(link.index ?? 0, 4)
  if (link.up) {
    bytes.writeUInt32LE(IFF_UP, 8)
    bytes.writeUInt32LE(IFF_UP, 12)
  }
  return bytes
}

export function setUp(index: number): NetlinkMessage {
  return { type: RTM.NEWLINK, flags: NLM_F.ACK, body: [linkHeader({ index, up: true })] }
}

export function parseMac(text: string): Uint8Array {
  return Uint8Array.from(text.split(":"), (part) => Number.parseInt(part, 16))
}
