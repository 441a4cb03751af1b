// The ports that are published on one bridge, and the table of its rules (docs/adr/0024-firewall.md): the table is built
// once, with maps from port to container, so that publishing is one netlink message. The rows are the truth: `fill` makes
// the maps say what they say.
import { createHash } from "node:crypto"
import { DhowError, errnoName } from "../lib/errors.ts"
import { bytesOf, type Family, parseIp } from "../lib/ip-address.ts"
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
} from "../lib/netlink.ts"
import { forgetFlows } from "./conntrack.ts"
import type { PortMapping } from "./contract.ts"
import { listAddresses, openRouteSocket } from "./link.ts"
import { familyOf, isAny } from "./ports.ts"
import type { NetworkRecord } from "./record.ts"
import { COMMON_TABLE, type MapNames, mapNames, renderCommonTable, renderRemoval, renderTable } from "./rules/layout.ts"
import { batch, hasTable, NFPROTO, NFT_MSG, nftMessage, removeTable, runNft } from "./rules/nft.ts"
import { type BridgePolicy, policyOf } from "./rules/policy.ts"

const NFTA_SET_ELEM_LIST = { TABLE: 1, SET: 2, ELEMENTS: 3 } as const
const NFTA_LIST_ELEM = 1
const NFTA_SET_ELEM = { KEY: 1, DATA: 2 } as const
const NFTA_DATA_VALUE = 1
const ELEMENTS_PER_MESSAGE = 500
const PROTOCOLS = { tcp: 6, udp: 17, sctp: 132 } as const

/** Ports lead to an address of either family: those of IPv4 addresses of the host to an IPv4 address. */
export type Published = { readonly address: string; readonly ports: readonly PortMapping[] }

export class PublishedPorts {
  readonly #socket = new NetlinkSocket(NETLINK_NETFILTER)
  readonly #policy: BridgePolicy
  readonly #script: string
  readonly #maps: MapNames
  #closed = false

  constructor(record: NetworkRecord) {
    this.#policy = policyOf(record)
    // The maps' names tell tables of another layout, or for other options, apart: those are built anew.
    const mark = createHash("sha256").update(renderTable(this.#policy, "")).digest("hex").slice(0, 8)
    this.#maps = mapNames(mark)
    this.#script = renderTable(this.#policy, mark)
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
    this.#batch(messages, `publish other ports of ${address}`)
    this.#forgetFlows({ address, ports: [...removed, ...added] })
  }

  #removeOne(published: Published, what: string): void {
    try {
      this.#batch(this.#elements(NFT_MSG.DELSETELEM, published), what)
    } catch (error) {
      if (errnoName(error) !== "ENOENT") throw error
    }
  }

  /** Makes the table where it is missing or outdated. Returns whether it did; afterwards `fill` must be called. */
  async ensureTable(): Promise<boolean> {
    try {
      this.fill([], { keep: true })
      return false
    } catch (error) {
      if (errnoName(error) !== "ENOENT") throw error
    }
    await this.renewTable()
    return true
  }

  /** Whatever stands. Afterwards `fill` must be called. */
  async renewTable(): Promise<void> {
    const { bridge } = this.#policy
    // What is there needs no work: removing rules, be it in the same transaction, makes the kernel wait.
    const before = [
      hasTable(this.#socket, COMMON_TABLE) ? "" : renderCommonTable(),
      hasTable(this.#socket, bridge) ? renderRemoval(bridge) : "",
    ]
    await runNft(`${before.join("")}${this.#script}`, `the firewall rules of bridge "${bridge}"`)
    // From before 0.5 of dhow: the table was of IPv4 alone.
    if (!this.#closed) removeTable(this.#socket, bridge, NFPROTO.IPV4)
  }

  /** In one transaction: exactly these are published. With `keep`, those that are there stay. */
  fill(all: readonly Published[], { keep }: { readonly keep: boolean } = { keep: false }): void {
    const maps = [this.#maps[4], this.#maps[6]].flatMap((names) => Object.values(names))
    // Without a list of elements, deleting means all of them; adding an empty list only asks whether the map is there.
    const start = maps.map((map) =>
      keep ? this.#elementMessage(NFT_MSG.NEWSETELEM, map, []) : this.#elementMessage(NFT_MSG.DELSETELEM, map),
    )
    const added = all.flatMap((published) => this.#elements(NFT_MSG.NEWSETELEM, published))
    this.#batch([...start, ...added], `publish ports on "${this.#policy.bridge}"`)
  }

  removeTable(): void {
    removeTable(this.#socket, this.#policy.bridge)
    removeTable(this.#socket, this.#policy.bridge, NFPROTO.IPV4)
  }

  close(): void {
    this.#closed = true
    this.#socket[Symbol.dispose]()
  }

  #forgetFlows({ address, ports }: Published): void {
    try {
      const family = familyOf(address)
      forgetFlows(portsOf(family, ports), family, (destination) => this.#isLocal(destination))
    } catch (error) {
      // A kernel without ctnetlink: clients find the container once their old flow has timed out.
      log.debug("flows could not be forgotten", { error: String(error) })
    }
  }

  #isLocal(address: string): boolean {
    using host = openRouteSocket()
    return (
      address.startsWith("127.") ||
      address === "::1" ||
      listAddresses(host).some((candidate) => candidate.address === address)
    )
  }

  /** As few messages as the length of an attribute, 64 KiB, allows. */
  #elements(message: number, { address, ports }: Published): NetlinkMessage[] {
    const family = familyOf(address)
    const names = this.#maps[family]
    const isRouted = this.#policy[family].mode === "routed"
    const mapOf = ({ hostIp }: PortMapping): string => (isRouted ? names.open : isAny(hostIp) ? names.any : names.at)
    const messages: NetlinkMessage[] = []
    for (const [map, mappings] of Map.groupBy(portsOf(family, ports), mapOf)) {
      const rendered = mappings.map((mapping) =>
        isRouted ? renderOpen(address, mapping) : renderElement(address, mapping),
      )
      // A port that is published twice, on two addresses, is one that is open.
      const elements = [...new Map(rendered.map((element) => [Buffer.from(element).toString("hex"), element])).values()]
      for (let at = 0; at < elements.length; at += ELEMENTS_PER_MESSAGE)
        messages.push(this.#elementMessage(message, map, elements.slice(at, at + ELEMENTS_PER_MESSAGE)))
    }
    return messages
  }

  #elementMessage(message: number, map: string, elements?: readonly Uint8Array[]): NetlinkMessage {
    const body = [
      attribute(NFTA_SET_ELEM_LIST.TABLE, cstr(this.#policy.bridge)),
      attribute(NFTA_SET_ELEM_LIST.SET, cstr(map)),
      ...(elements === undefined ? [] : [nested(NFTA_SET_ELEM_LIST.ELEMENTS, ...elements)]),
    ]
    return nftMessage(message, body, { flags: message === NFT_MSG.NEWSETELEM ? NLM_F.CREATE : 0 })
  }

  #batch(messages: readonly NetlinkMessage[], what: string): void {
    if (this.#closed) throw new DhowError("unavailable", `Bridge "${this.#policy.bridge}" is being removed`)
    if (messages.length > 0) batch(this.#socket, messages, what)
  }
}

function portsOf(family: Family, ports: readonly PortMapping[]): PortMapping[] {
  return ports.filter(({ hostIp }) => familyOf(hostIp) === family)
}

function renderElement(address: string, mapping: PortMapping): Uint8Array {
  const service = Buffer.concat([register(PROTOCOLS[mapping.protocol]), register(...u16be(mapping.hostPort))])
  const key = isAny(mapping.hostIp) ? service : Buffer.concat([addressBytes(mapping.hostIp), service])
  const target = Buffer.concat([addressBytes(address), register(...u16be(mapping.containerPort))])
  return nested(
    NFTA_LIST_ELEM,
    nested(NFTA_SET_ELEM.KEY, attribute(NFTA_DATA_VALUE, key)),
    nested(NFTA_SET_ELEM.DATA, attribute(NFTA_DATA_VALUE, target)),
  )
}

function renderOpen(address: string, { protocol, containerPort }: PortMapping): Uint8Array {
  const key = [addressBytes(address), register(PROTOCOLS[protocol]), register(...u16be(containerPort))]
  return nested(NFTA_LIST_ELEM, nested(NFTA_SET_ELEM.KEY, attribute(NFTA_DATA_VALUE, Buffer.concat(key))))
}

function addressBytes(text: string): Uint8Array {
  const address = parseIp(text)
  if (address === undefined) throw new Error(`"${text}" is no address`)
  return bytesOf(address)
}

/** A field of a concatenation fills a register of four bytes. */
function register(...bytes: readonly number[]): Uint8Array {
  const padded = new Uint8Array(4)
  padded.set(bytes)
  return padded
}
