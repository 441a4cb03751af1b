// The rules that lead published ports to containers: one nftables table per default bridge, built once, with a map from
// port to container. Publishing a port is then one netlink message (docs/adr/0007-native-endpoints.md). The rows are the
// truth: `rebuild` makes the maps say what they say.
import { createHash } from "node:crypto"
import { DhowError, errnoName } from "../lib/errors.ts"
import { log } from "../lib/log.ts"
import {
  attribute,
  cstr,
  NETLINK_NETFILTER,
  type NetlinkMessage,
  NetlinkSocket,
  NLM_F,
  nested,
  u16be,
  u32be,
} from "../lib/netlink.ts"
import { forgetFlows } from "./conntrack.ts"
import type { PortMapping } from "./contract.ts"
import { listAddresses, openRouteSocket } from "./link.ts"
import { findProgram } from "./netavark.ts"
import { isAny } from "./ports.ts"
import type { Namespace } from "./record.ts"
import { parseAddress } from "./subnet.ts"

const NFNL_SUBSYS_NFTABLES = 10
const NFNL_MSG_BATCH = { BEGIN: 0x10, END: 0x11 } as const
const NFT_MSG = { DELTABLE: 2, NEWSETELEM: 12, DELSETELEM: 14 } as const
const NFTA_SET_ELEM_LIST = { TABLE: 1, SET: 2, ELEMENTS: 3 } as const
const NFTA_LIST_ELEM = 1
const NFTA_SET_ELEM = { KEY: 1, DATA: 2 } as const
const NFTA_DATA_VALUE = 1
const NFTA_TABLE_NAME = 1
const AF_INET = 2
const ELEMENTS_PER_MESSAGE = 500
const PROTOCOLS = { tcp: 6, udp: 17, sctp: 132 } as const

export type Published = { readonly address: string; readonly ports: readonly PortMapping[] }

export class PublishedPorts {
  readonly #socket = new NetlinkSocket(NETLINK_NETFILTER)
  readonly #bridge: string
  readonly #script: string
  readonly #maps: { readonly any: string; readonly at: string }

  constructor(bridge: string, subnet: string) {
    this.#bridge = bridge
    // The maps' names tell tables of another layout or subnet apart: those are built anew.
    const mark = createHash("sha256")
      .update(renderTable(bridge, subnet, ""))
      .digest("hex")
      .slice(0, 8)
    this.#maps = { any: `any_${mark}`, at: `at_${mark}` }
    this.#script = renderTable(bridge, subnet, mark)
  }

  add(published: Published): void {
    this.#batch(this.#elements(NFT_MSG.NEWSETELEM, published), `publish ports of ${published.address}`)
    this.#forgetFlows(published)
  }

  remove(published: Published): void {
    const what = `withdraw ports of ${published.address}`
    try {
      this.#batch(this.#elements(NFT_MSG.DELSETELEM, published), what)
    } catch (error) {
      if (errnoName(error) !== "ENOENT") throw error
      // One at a time then: an element that is missing must not keep the others.
      for (const port of published.ports) this.#removeOne({ ...published, ports: [port] }, what)
    }
    this.#forgetFlows(published)
  }

  /** In one transaction: a connection finds either the old or the new. */
  replace(address: string, removed: readonly PortMapping[], added: readonly PortMapping[]): void {
    const [old, fresh] = [
      { address, ports: removed },
      { address, ports: added },
    ]
    const messages = [...this.#elements(NFT_MSG.DELSETELEM, old), ...this.#elements(NFT_MSG.NEWSETELEM, fresh)]
    if (messages.length > 0) this.#batch(messages, `publish other ports of ${address}`)
    this.#forgetFlows({ address, ports: [...removed, ...added] })
  }

  #removeOne(published: Published, what: string): void {
    try {
      this.#batch(this.#elements(NFT_MSG.DELSETELEM, published), what)
    } catch (error) {
      if (errnoName(error) !== "ENOENT") throw error
    }
  }

  /** Makes the table where it is missing or outdated. Afterwards `fill` must be called. */
  async ensureTable(): Promise<void> {
    try {
      this.fill([], { keep: true })
      return
    } catch (error) {
      if (errnoName(error) !== "ENOENT") throw error
    }
    const program = findProgram("nft")
    if (program === undefined)
      throw new DhowError("unavailable", "nft is not installed, which publishing ports needs", {
        hint: "Install the package nftables",
      })
    const child = Bun.spawn([program, "-f", "-"], {
      stdin: Buffer.from(this.#script),
      stdout: "ignore",
      stderr: "pipe",
    })
    const [complaint, status] = await Promise.all([child.stderr.text(), child.exited])
    if (status !== 0) throw new DhowError("internal", `nft failed on table "${this.#bridge}": ${complaint.trim()}`)
  }

  /** In one transaction: exactly these are published. With `keep`, those that are there stay. */
  fill(all: readonly Published[], { keep }: { readonly keep: boolean } = { keep: false }): void {
    const maps = Object.values(this.#maps)
    // Without a list of elements, deleting means all of them; adding an empty list only asks whether the map is there.
    const start = maps.map((map) =>
      keep ? this.#elementMessage(NFT_MSG.NEWSETELEM, map, []) : this.#elementMessage(NFT_MSG.DELSETELEM, map),
    )
    const added = all.flatMap((published) => this.#elements(NFT_MSG.NEWSETELEM, published))
    this.#batch([...start, ...added], `publish ports on "${this.#bridge}"`)
  }

  removeTable(): void {
    const body = [generic(AF_INET, 0), attribute(NFTA_TABLE_NAME, cstr(this.#bridge))]
    const type = (NFNL_SUBSYS_NFTABLES << 8) | NFT_MSG.DELTABLE
    try {
      this.#batch([{ type, flags: NLM_F.ACK, body }], `remove table "${this.#bridge}"`)
    } catch (error) {
      if (errnoName(error) !== "ENOENT") throw error
    }
  }

  close(): void {
    this.#socket[Symbol.dispose]()
  }

  #forgetFlows({ ports }: Published): void {
    try {
      forgetFlows(ports, (address) => this.#isLocal(address))
    } catch (error) {
      // A kernel without ctnetlink: clients find the container once their old flow has timed out.
      log.debug("flows could not be forgotten", { error: String(error) })
    }
  }

  #isLocal(address: string): boolean {
    using host = openRouteSocket()
    return address.startsWith("127.") || listAddresses(host).some((candidate) => candidate.address === address)
  }

  /** As few messages as the length of an attribute, 64 KiB, allows. */
  #elements(message: number, { address, ports }: Published): NetlinkMessage[] {
    const byMap = Map.groupBy(ports, ({ hostIp }) => (isAny(hostIp) ? this.#maps.any : this.#maps.at))
    const messages: NetlinkMessage[] = []
    for (const [map, mappings] of byMap)
      for (let at = 0; at < mappings.length; at += ELEMENTS_PER_MESSAGE) {
        const elements = mappings.slice(at, at + ELEMENTS_PER_MESSAGE).map((mapping) => renderElement(address, mapping))
        messages.push(this.#elementMessage(message, map, elements))
      }
    return messages
  }

  #elementMessage(message: number, map: string, elements?: readonly Uint8Array[]): NetlinkMessage {
    const body = [
      generic(AF_INET, 0),
      attribute(NFTA_SET_ELEM_LIST.TABLE, cstr(this.#bridge)),
      attribute(NFTA_SET_ELEM_LIST.SET, cstr(map)),
      ...(elements === undefined ? [] : [nested(NFTA_SET_ELEM_LIST.ELEMENTS, ...elements)]),
    ]
    const flags = NLM_F.ACK | (message === NFT_MSG.NEWSETELEM ? NLM_F.CREATE : 0)
    return { type: (NFNL_SUBSYS_NFTABLES << 8) | message, flags, body }
  }

  #batch(messages: readonly NetlinkMessage[], what: string): void {
    const frame = { flags: 0, body: [generic(0, NFNL_SUBSYS_NFTABLES)] }
    const begin = { ...frame, type: NFNL_MSG_BATCH.BEGIN }
    this.#socket.request([begin, ...messages, { ...frame, type: NFNL_MSG_BATCH.END }], what)
  }
}

function renderElement(address: string, mapping: PortMapping): Uint8Array {
  const service = Buffer.concat([register(PROTOCOLS[mapping.protocol]), register(...u16be(mapping.hostPort))])
  const key = isAny(mapping.hostIp) ? service : Buffer.concat([u32be(parseAddress(mapping.hostIp)), service])
  const target = Buffer.concat([u32be(parseAddress(address)), register(...u16be(mapping.containerPort))])
  return nested(
    NFTA_LIST_ELEM,
    nested(NFTA_SET_ELEM.KEY, attribute(NFTA_DATA_VALUE, key)),
    nested(NFTA_SET_ELEM.DATA, attribute(NFTA_DATA_VALUE, target)),
  )
}

/** struct nfgenmsg */
function generic(family: number, resource: number): Uint8Array {
  return Uint8Array.of(family, 0, ...u16be(resource))
}

/** A field of a concatenation fills a register of four bytes. */
function register(...bytes: readonly number[]): Uint8Array {
  const padded = new Uint8Array(4)
  padded.set(bytes)
  return padded
}

// Priorities lie a little before those of other tables, so that a port of ours is not taken by a rule for everything.
// guard_loopback keeps containers from the host's 127.0.0.1, which route_localnet would otherwise open to them.
// guard_forward keeps other networks from ports that are not published.
function renderTable(bridge: string, subnet: string, mark: string): string {
  return `table ip ${bridge} {}
delete table ip ${bridge}
table ip ${bridge} {
  map any_${mark} { type inet_proto . inet_service : ipv4_addr . inet_service; }
  map at_${mark} { type ipv4_addr . inet_proto . inet_service : ipv4_addr . inet_service; }
  chain publish {
    dnat ip to ip daddr . meta l4proto . th dport map @at_${mark}
    dnat ip to meta l4proto . th dport map @any_${mark}
  }
  chain prerouting {
    type nat hook prerouting priority -105; policy accept;
    fib daddr type local jump publish
  }
  chain output {
    type nat hook output priority -105; policy accept;
    fib daddr type local jump publish
  }
  chain postrouting {
    type nat hook postrouting priority 95; policy accept;
    oifname "${bridge}" ct status dnat ip saddr { 127.0.0.0/8, ${subnet} } masquerade
  }
  chain guard_loopback {
    type filter hook prerouting priority -300; policy accept;
    iifname "${bridge}" ip daddr 127.0.0.0/8 drop
  }
  chain guard_forward {
    type filter hook forward priority 0; policy accept;
    oifname "${bridge}" iifname != "${bridge}" ct state new ct status & dnat == 0 drop
  }
}
`
}

/** What a container's namespace publishes: its ports lead to its first address. */
export function publications({ owner, record }: Namespace): Published[] {
  const address = record.endpoints[0]?.settings.IPAddress
  return owner === null || record.ports.length === 0 || !address ? [] : [{ address, ports: record.ports }]
}
