// Forgets the kernel's UDP flows to ports of the host. A flow once seen keeps its way, so that without this a client that
// goes on sending never reaches a container published later, or still sends to one that is gone. TCP ends by itself.
import { errnoName } from "../lib/errors.ts"
import { type Family, formatIp } from "../lib/ip-address.ts"
import {
  attribute,
  NETLINK_NETFILTER,
  NetlinkSocket,
  NLM_F,
  nested,
  readAttributes,
  u16be,
  u32,
} from "../lib/netlink.ts"
import type { PortMapping } from "./contract.ts"
import { isAny } from "./ports.ts"

const NFNL_SUBSYS_CTNETLINK = 1
const IPCTNL_MSG_CT = { GET: 1, DELETE: 2 } as const
const CTA = { TUPLE_ORIG: 1, FILTER: 25 } as const
const CTA_TUPLE = { IP: 1, PROTO: 2 } as const
const CTA_IP = { V4_DST: 2, V6_DST: 4 } as const
const CTA_PROTO = { NUM: 1, DST_PORT: 3 } as const
const CTA_FILTER_ORIG_FLAGS = 1
const FILTER_PROTO_NUM = 1 << 3
const FILTER_PROTO_DST_PORT = 1 << 5
const IPPROTO_UDP = 17
/** struct nfgenmsg of AF_INET and AF_INET6 */
const HEADERS = { 4: Uint8Array.of(2, 0, 0, 0), 6: Uint8Array.of(10, 0, 0, 0) } as const

/** `local` says whether an address is one of the host's: flows to the same port elsewhere are none of ours. */
export function forgetFlows(ports: readonly PortMapping[], family: Family, local: (address: string) => boolean): void {
  const udp = ports.filter(({ protocol }) => protocol === "udp")
  if (udp.length === 0) return
  using socket = new NetlinkSocket(NETLINK_NETFILTER)
  for (const mapping of udp)
    for (const { tuple, destination } of listFlows(socket, mapping.hostPort, family)) {
      const ours = isAny(mapping.hostIp) ? local(destination) : destination === mapping.hostIp
      if (ours) forget(socket, tuple, family)
    }
}

type Flow = { readonly tuple: Buffer; readonly destination: string }

function listFlows(socket: NetlinkSocket, port: number, family: Family): Flow[] {
  // Kernels before 5.8 know no filter and give all flows, so that each is looked at once more.
  const proto = [attribute(CTA_PROTO.NUM, Uint8Array.of(IPPROTO_UDP)), attribute(CTA_PROTO.DST_PORT, u16be(port))]
  const wanted = nested(CTA.TUPLE_ORIG, nested(CTA_TUPLE.PROTO, ...proto))
  const flags = u32(FILTER_PROTO_NUM | FILTER_PROTO_DST_PORT)
  const filter = nested(CTA.FILTER, attribute(CTA_FILTER_ORIG_FLAGS, flags))
  const type = (NFNL_SUBSYS_CTNETLINK << 8) | IPCTNL_MSG_CT.GET
  const flows: Flow[] = []
  for (const { body } of socket.request(
    [{ type, flags: NLM_F.DUMP, body: [HEADERS[family], wanted, filter] }],
    "UDP flows",
  )) {
    const tuple = readAttributes(body.subarray(4)).get(CTA.TUPLE_ORIG)
    if (tuple === undefined) continue
    const parts = readAttributes(tuple)
    const protocol = readAttributes(parts.get(CTA_TUPLE.PROTO) ?? Buffer.alloc(0))
    const destination = readAttributes(parts.get(CTA_TUPLE.IP) ?? Buffer.alloc(0)).get(
      family === 4 ? CTA_IP.V4_DST : CTA_IP.V6_DST,
    )
    if (protocol.get(CTA_PROTO.NUM)?.[0] !== IPPROTO_UDP || destination === undefined) continue
    if (protocol.get(CTA_PROTO.DST_PORT)?.readUInt16BE(0) !== port) continue
    flows.push({ tuple, destination: textOf(destination) })
  }
  return flows
}

function textOf(bytes: Buffer): string {
  return formatIp({ family: bytes.length === 4 ? 4 : 6, value: BigInt(`0x${bytes.toString("hex")}`) })
}

function forget(socket: NetlinkSocket, tuple: Buffer, family: Family): void {
  const type = (NFNL_SUBSYS_CTNETLINK << 8) | IPCTNL_MSG_CT.DELETE
  try {
    socket.request(
      [{ type, flags: NLM_F.ACK, body: [HEADERS[family], nested(CTA.TUPLE_ORIG, tuple)] }],
      "forget a UDP flow",
    )
  } catch (error) {
    // It ended by itself meanwhile.
    if (errnoName(error) !== "ENOENT") throw error
  }
}
