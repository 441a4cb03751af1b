// What a container's endpoints may carry each: on our end of a pair, where nobody in the container reaches it. What goes
// to the container waits in a bucket there; what comes from it is led through an interface of the limit's own, with a
// bucket of its own, and goes on from there as if it had just arrived.
import { writeFileSync } from "node:fs"
import { DhowError, errnoName } from "../../lib/errors.ts"
import { attribute, cstr, type NetlinkSocket, nested } from "../../lib/netlink.ts"
import type { NetRate } from "../../wire/container.ts"
import { change, IFLA, IFLA_INFO, linkHeader, linkIndex, linkMtu, listLinks, RTM, removeLink, setUp } from "../link.ts"
import type { EndpointRecord, Network } from "../record.ts"
import { bucketUsage, redirect, removeBucket, removeRedirection, setBucket } from "./qdisc.ts"

/** Interfaces of limits, by the key of their namespace: "ifb" in place of "veth". */
export const LIMIT_INTERFACE = /^ifb[0-9a-f]{10}[0-9a-z]?$/

/** The endpoint's: what leaves its container passes here. */
export function limitInterface(hostInterface: string): string {
  return hostInterface.replace(/^veth/, "ifb")
}

/** Whether there is anything to hold to. */
export function isLimited(rate: NetRate | undefined): rate is NetRate {
  return (rate?.In ?? 0) > 0 || (rate?.Out ?? 0) > 0
}

/** Makes the kernel hold an endpoint to it. Done twice, or after half of it, it is as done once. */
export function limitEndpoint(host: NetlinkSocket, endpoint: EndpointRecord, rate: NetRate | undefined): void {
  const { hostInterface, networkName } = endpoint
  if (hostInterface === "") {
    if (isLimited(rate)) refuse(networkName)
    return
  }
  const index = linkIndex(host, hostInterface)
  if (index === undefined) return
  const mtu = linkMtu(host, hostInterface) ?? 1500
  try {
    if (rate?.In) setBucket(host, index, { rate: rate.In, mtu })
    else removeBucket(host, index)
    limitOutgoing(host, { hostInterface, index }, { rate: rate?.Out ?? 0, mtu })
  } catch (error) {
    if (!["ENOENT", "ENOTSUP", "EOPNOTSUPP"].includes(errnoName(error) ?? "")) throw error
    throw new DhowError("unavailable", `Cannot limit the traffic of a container on network "${networkName}"`, {
      cause: error,
      hint: "The kernel needs sch_tbf, sch_ingress, cls_u32, act_mirred and ifb",
    })
  }
}

/** Networks whose interfaces are wholly the container's. */
export function refuseUnlimited(rate: NetRate | undefined, networks: readonly Network[]): void {
  if (!isLimited(rate)) return
  for (const { name, record } of networks) if (record.driver !== "bridge") refuse(name)
}

function refuse(network: string): never {
  throw new DhowError("invalid", `The traffic of a container cannot be limited on network "${network}"`, {
    hint: "A limit is kept on the host's end of an interface, which only those on bridges have",
  })
}

function limitOutgoing(
  host: NetlinkSocket,
  { hostInterface, index }: { readonly hostInterface: string; readonly index: number },
  { rate, mtu }: { readonly rate: number; readonly mtu: number },
): void {
  const name = limitInterface(hostInterface)
  const before = linkIndex(host, name)
  if (rate === 0) {
    if (before === undefined) return
    // The other way round packets would be led to nowhere.
    removeRedirection(host, index)
    removeLink(host, name)
    return
  }
  const through = before ?? makeInterface(host, name)
  setBucket(host, through, { rate, mtu })
  host.request([setUp(through)], `interface "${name}"`)
  try {
    redirect(host, index, through)
  } catch (error) {
    if (errnoName(error) !== "EEXIST") throw error
  }
}

function makeInterface(host: NetlinkSocket, name: string): number {
  const kind = nested(IFLA.LINKINFO, attribute(IFLA_INFO.KIND, cstr("ifb")))
  host.request([change(RTM.NEWLINK, linkHeader(), attribute(IFLA.IFNAME, cstr(name)), kind)], `interface "${name}"`)
  try {
    writeFileSync(`/proc/sys/net/ipv6/conf/${name}/disable_ipv6`, "1")
  } catch {
    // A kernel without IPv6 has nothing to disable.
  }
  const index = linkIndex(host, name)
  if (index === undefined) throw new Error(`Interface "${name}" is gone again`)
  return index
}

/** What is left of the limits of an endpoint that is gone. */
export function forgetLimits(host: NetlinkSocket, endpoints: readonly EndpointRecord[]): void {
  for (const { hostInterface } of endpoints) if (hostInterface !== "") removeLink(host, limitInterface(hostInterface))
}

export type LimitUsage = { readonly dropped: number; readonly delayed: number }

/** Those of interfaces that are gone, with the rest of their containers, whoever's these were. Returns what was removed. */
export function removeOrphanLimits(host: NetlinkSocket): string[] {
  const names = listLinks(host).map(({ name }) => name)
  const there = new Set(names)
  const orphans = names.filter((name) => LIMIT_INTERFACE.test(name) && !there.has(name.replace(/^ifb/, "veth")))
  return orphans.flatMap((name) => (removeLink(host, name) ? [`interface ${name}`] : []))
}

/** What its limits have held back of an endpoint. */
export function limitUsage(
  host: NetlinkSocket,
  endpoint: EndpointRecord,
): { readonly in: LimitUsage; readonly out: LimitUsage } {
  const of = (name: string): LimitUsage => {
    const index = linkIndex(host, name)
    const usage = index === undefined ? undefined : bucketUsage(host, index)
    return { dropped: usage?.dropped ?? 0, delayed: usage?.overlimits ?? 0 }
  }
  return { in: of(endpoint.hostInterface), out: of(limitInterface(endpoint.hostInterface)) }
}
