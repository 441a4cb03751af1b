// The interface that macvlan and ipvlan networks are children of: the host's own, which is left alone; a VLAN of one
// ("eth0.10"), made and removed with the network; or a dummy, which leads nowhere.
import { DhowError, errnoName } from "../lib/errors.ts"
import { attribute, cstr, type NetlinkSocket, nested, u32 } from "../lib/netlink.ts"
import { isOurs, markAsOurs } from "./bridge-owner.ts"
import { change, IFLA, IFLA_INFO, linkHeader, linkIndex, RTM, removeLink, setUp } from "./link.ts"
import type { Network } from "./record.ts"

const IFLA_VLAN_ID = 1

/** Makes it where it is missing and ours to make. */
export function raiseParent(host: NetlinkSocket, network: Network, execRoot: string): void {
  const { interface: name, options, driver } = network.record
  if (linkIndex(host, name) !== undefined) return
  const common = [attribute(IFLA.IFNAME, cstr(name))]
  const make = (...rest: readonly Uint8Array[]): void => {
    host.request([change(RTM.NEWLINK, linkHeader(), ...common, ...rest)], `parent interface "${name}"`)
  }
  if (name === options["parent"]) make(...vlan(host, name, driver))
  else makeDummy(make)
  markAsOurs(host, name, execRoot)
  host.request([setUp(linkIndex(host, name) ?? 0)], `parent interface "${name}"`)
}

/** A kernel without dummies has bridges: one that nothing joins is as good. */
function makeDummy(make: (...rest: readonly Uint8Array[]) => void): void {
  const kind = (name: string): Uint8Array => nested(IFLA.LINKINFO, attribute(IFLA_INFO.KIND, cstr(name)))
  try {
    make(kind("dummy"))
  } catch (error) {
    if (errnoName(error) !== "ENOTSUP" && errnoName(error) !== "EOPNOTSUPP") throw error
    make(kind("bridge"))
  }
}

/** Takes away what was made for this network. */
export function lowerParent(host: NetlinkSocket, network: Network, execRoot: string): void {
  const { interface: name } = network.record
  if (isOurs(host, name, execRoot)) removeLink(host, name)
}

function vlan(host: NetlinkSocket, name: string, driver: string): readonly Uint8Array[] {
  const [, parent = "", digits = ""] = /^(.+)\.(\d+)$/.exec(name) ?? []
  if (parent === "")
    throw new DhowError("invalid", `invalid subinterface vlan name ${name}, example formatting is eth0.10`, {
      hint: `There is no interface "${name}" that a ${driver} network could be a child of`,
    })
  const id = Number(digits)
  if (id < 1 || id > 4094) throw new DhowError("invalid", `vlan id must be between 1-4094, received: ${digits}`)
  const parentIndex = linkIndex(host, parent)
  if (parentIndex === undefined)
    throw new DhowError("invalid", `failed to find master interface ${parent} on the Docker host`)
  const data = nested(IFLA_INFO.DATA, attribute(IFLA_VLAN_ID, Uint8Array.of(id & 0xff, id >> 8)))
  return [attribute(IFLA.LINK, u32(parentIndex)), nested(IFLA.LINKINFO, attribute(IFLA_INFO.KIND, cstr("vlan")), data)]
}
