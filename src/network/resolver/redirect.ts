// The rule in a container's own namespace that leads 127.0.0.11:53 to the resolver's sockets: a server inside can still
// have port 53 of every address. One nf_tables transaction, no program is run.
import { errnoName } from "../../lib/errors.ts"
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
} from "../../lib/netlink.ts"

const TABLE = "dhow-dns"
const CHAIN = "output"
const NFNL_SUBSYS_NFTABLES = 10
const NFNL_MSG_BATCH = { BEGIN: 0x10, END: 0x11 } as const
const NFT_MSG = { NEWTABLE: 0, DELTABLE: 2, NEWCHAIN: 3, NEWRULE: 6 } as const
const NFTA_TABLE_NAME = 1
const NFTA_CHAIN = { TABLE: 1, NAME: 3, HOOK: 4, TYPE: 7 } as const
const NFTA_HOOK = { HOOKNUM: 1, PRIORITY: 2 } as const
const NFTA_RULE = { TABLE: 1, CHAIN: 2, EXPRESSIONS: 4 } as const
const NFTA_LIST_ELEM = 1
const NFTA_EXPR = { NAME: 1, DATA: 2 } as const
const NFTA_META = { DREG: 1, KEY: 2 } as const
const NFTA_CMP = { SREG: 1, OP: 2, DATA: 3 } as const
const NFTA_PAYLOAD = { DREG: 1, BASE: 2, OFFSET: 3, LEN: 4 } as const
const NFTA_IMMEDIATE = { DREG: 1, DATA: 2 } as const
const NFTA_NAT = { TYPE: 1, FAMILY: 2, REG_ADDR_MIN: 3, REG_PROTO_MIN: 5 } as const
const NFTA_DATA_VALUE = 1
const NFT_META_L4PROTO = 16
const NFT_PAYLOAD = { NETWORK_HEADER: 1, TRANSPORT_HEADER: 2 } as const
const NFT_NAT_DNAT = 1
const NF_INET_LOCAL_OUT = 3
const DSTNAT_PRIORITY = -100
const AF_INET = 2
const PROTOCOL = { tcp: 6, udp: 17 } as const
const DNS_PORT = 53
const ADDRESS = Uint8Array.of(127, 0, 0, 11)

export type RedirectPorts = { readonly udp: number; readonly tcp: number }

/**
 * To be called inside the namespace. What an earlier resolver wrote there is replaced in the same transaction; with `keep`,
 * where it wrote these very ports, it is only made sure of.
 */
export function redirect(ports: RedirectPorts, { keep }: { readonly keep: boolean } = { keep: false }): void {
  using socket = new NetlinkSocket(NETLINK_NETFILTER)
  const table = nft(NFT_MSG.NEWTABLE, [attribute(NFTA_TABLE_NAME, cstr(TABLE))], NLM_F.CREATE | NLM_F.EXCL)
  const rules = [table, chain(), rule("udp", ports.udp), rule("tcp", ports.tcp)]
  try {
    batch(socket, rules)
  } catch (error) {
    if (errnoName(error) !== "EEXIST") throw error
    if (keep) return
    batch(socket, [nft(NFT_MSG.DELTABLE, [attribute(NFTA_TABLE_NAME, cstr(TABLE))], 0), ...rules])
  }
}

function batch(socket: NetlinkSocket, messages: readonly NetlinkMessage[]): void {
  const frame = { flags: 0, body: [generic(0, NFNL_SUBSYS_NFTABLES)] }
  const begin = { ...frame, type: NFNL_MSG_BATCH.BEGIN }
  socket.request([begin, ...messages, { ...frame, type: NFNL_MSG_BATCH.END }], "redirect of 127.0.0.11:53")
}

function chain(): NetlinkMessage {
  const hook = nested(
    NFTA_CHAIN.HOOK,
    attribute(NFTA_HOOK.HOOKNUM, u32be(NF_INET_LOCAL_OUT)),
    attribute(NFTA_HOOK.PRIORITY, u32be(DSTNAT_PRIORITY)),
  )
  const names = [attribute(NFTA_CHAIN.TABLE, cstr(TABLE)), attribute(NFTA_CHAIN.NAME, cstr(CHAIN))]
  return nft(NFT_MSG.NEWCHAIN, [...names, hook, attribute(NFTA_CHAIN.TYPE, cstr("nat"))], NLM_F.CREATE)
}

/** ip daddr 127.0.0.11 PROTOCOL dport 53 dnat to 127.0.0.11:PORT */
function rule(protocol: keyof typeof PROTOCOL, port: number): NetlinkMessage {
  const expressions = nested(
    NFTA_RULE.EXPRESSIONS,
    expression("meta", attribute(NFTA_META.DREG, u32be(1)), attribute(NFTA_META.KEY, u32be(NFT_META_L4PROTO))),
    compare(Uint8Array.of(PROTOCOL[protocol])),
    payload(NFT_PAYLOAD.NETWORK_HEADER, 16, 4),
    compare(ADDRESS),
    payload(NFT_PAYLOAD.TRANSPORT_HEADER, 2, 2),
    compare(u16be(DNS_PORT)),
    immediate(1, ADDRESS),
    immediate(2, u16be(port)),
    expression(
      "nat",
      attribute(NFTA_NAT.TYPE, u32be(NFT_NAT_DNAT)),
      attribute(NFTA_NAT.FAMILY, u32be(AF_INET)),
      attribute(NFTA_NAT.REG_ADDR_MIN, u32be(1)),
      attribute(NFTA_NAT.REG_PROTO_MIN, u32be(2)),
    ),
  )
  const names = [attribute(NFTA_RULE.TABLE, cstr(TABLE)), attribute(NFTA_RULE.CHAIN, cstr(CHAIN))]
  return nft(NFT_MSG.NEWRULE, [...names, expressions], NLM_F.CREATE | NLM_F.APPEND)
}

function expression(name: string, ...data: readonly Uint8Array[]): Uint8Array {
  return nested(NFTA_LIST_ELEM, attribute(NFTA_EXPR.NAME, cstr(name)), nested(NFTA_EXPR.DATA, ...data))
}

function compare(value: Uint8Array): Uint8Array {
  const data = nested(NFTA_CMP.DATA, attribute(NFTA_DATA_VALUE, value))
  return expression("cmp", attribute(NFTA_CMP.SREG, u32be(1)), attribute(NFTA_CMP.OP, u32be(0)), data)
}

function payload(base: number, offset: number, length: number): Uint8Array {
  return expression(
    "payload",
    attribute(NFTA_PAYLOAD.DREG, u32be(1)),
    attribute(NFTA_PAYLOAD.BASE, u32be(base)),
    attribute(NFTA_PAYLOAD.OFFSET, u32be(offset)),
    attribute(NFTA_PAYLOAD.LEN, u32be(length)),
  )
}

function immediate(register: number, value: Uint8Array): Uint8Array {
  const data = nested(NFTA_IMMEDIATE.DATA, attribute(NFTA_DATA_VALUE, value))
  return expression("immediate", attribute(NFTA_IMMEDIATE.DREG, u32be(register)), data)
}

function nft(message: number, body: readonly Uint8Array[], flags: number): NetlinkMessage {
  const type = (NFNL_SUBSYS_NFTABLES << 8) | message
  return { type, flags: NLM_F.ACK | flags, body: [generic(AF_INET, 0), ...body] }
}

/** struct nfgenmsg */
function generic(family: number, resource: number): Uint8Array {
  return Uint8Array.of(family, 0, ...u16be(resource))
}
