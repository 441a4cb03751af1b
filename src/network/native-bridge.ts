// A bridge made through rtnetlink, with its addresses, and the table of its rules.
import { readFileSync, writeFileSync } from "node:fs"
import { errnoName } from "../lib/errors.ts"
import { macOf, parseIp, parsePrefix } from "../lib/ip-address.ts"
import { attribute, cstr, type NetlinkSocket, nested, u32 } from "../lib/netlink.ts"
import { ownerMark } from "./bridge-owner.ts"
import { addAddress } from "./join.ts"
import {
  bridgePorts,
  change,
  IFLA,
  IFLA_INFO,
  linkHeader,
  linkIndex,
  parseMac,
  RTM,
  removeLink,
  setUp,
} from "./link.ts"
import { PublishedPorts } from "./publish.ts"
import type { Network } from "./record.ts"

/** Makes what is missing of it. Returns the ports published on it: none yet. */
export async function raiseBridge(
  host: NetlinkSocket,
  { record }: Network,
  { execRoot }: { readonly execRoot: string },
): Promise<PublishedPorts> {
  const what = `bridge "${record.interface}"`
  if (linkIndex(host, record.interface) === undefined) {
    const first = parseIp(record.subnets[0]?.gateway ?? "")
    const link = change(
      RTM.NEWLINK,
      linkHeader(),
      attribute(IFLA.IFNAME, cstr(record.interface)),
      ...(first === undefined ? [] : [attribute(IFLA.ADDRESS, parseMac(macOf(first)))]),
      attribute(IFLA.MTU, u32(record.mtu)),
      attribute(IFLA.IFALIAS, Buffer.from(ownerMark(execRoot))),
      nested(IFLA.LINKINFO, attribute(IFLA_INFO.KIND, cstr("bridge"))),
    )
    host.request([link], what)
  }
  const index = linkIndex(host, record.interface) ?? 0
  if (!record.ipv6) setSysctl(`net/ipv6/conf/${record.interface}/disable_ipv6`, "1")
  for (const { subnet, gateway } of record.subnets) {
    const prefix = parsePrefix(subnet)?.prefix
    if (prefix === undefined || gateway === "") continue
    try {
      host.request([addAddress(index, gateway, prefix.length)], what)
    } catch (error) {
      if (errnoName(error) !== "EEXIST") throw error
    }
  }
  host.request([setUp(index)], what)
  setSysctl("net/ipv4/ip_forward", "1")
  const v4 = record.subnets.find(({ subnet }) => parsePrefix(subnet)?.prefix.family === 4)
  const published = new PublishedPorts(record.interface, v4?.subnet ?? "0.0.0.0/32")
  await published.ensureTable()
  setSysctl(`net/ipv4/conf/${record.interface}/route_localnet`, "1")
  return published
}

/** Takes it away with its rules, and cuts off what is still attached. */
export async function lowerBridge(host: NetlinkSocket, name: string): Promise<void> {
  for (const port of bridgePorts(host, name)) removeLink(host, port)
  removeLink(host, name)
  const published = new PublishedPorts(name, "0.0.0.0/32")
  try {
    published.removeTable()
  } finally {
    published.close()
  }
}

function setSysctl(name: string, value: string): void {
  const path = `/proc/sys/${name}`
  if (readFileSync(path, "utf8").trim() !== value) writeFileSync(path, value)
}
