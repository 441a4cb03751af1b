// Queueing disciplines through rtnetlink: the token bucket that lets so many bytes a second through, the hook on what
// comes in, and the redirection of it. Times and sizes are the kernel's; nothing here knows of containers.
import { errnoName } from "../../lib/errors.ts"
import {
  attribute,
  cstr,
  type NetlinkMessage,
  type NetlinkSocket,
  NLM_F,
  nested,
  readAttributes,
  u32,
} from "../../lib/netlink.ts"

const RTM = { NEWQDISC: 36, DELQDISC: 37, GETQDISC: 38, NEWTFILTER: 44 } as const
const NLM_F_REPLACE = 0x100
/** Without it many kernels answer a question about one discipline to everybody but who asks. */
const NLM_F_ECHO = 8
const TC_H_ROOT = 0xffffffff
const TC_H_INGRESS = 0xfffffff1
const INGRESS_HANDLE = 0xffff0000
const BUCKET_HANDLE = 0x00010000
const TCA = { KIND: 1, OPTIONS: 2, STATS2: 7 } as const
const TCA_TBF = { PARMS: 1, RATE64: 4, BURST: 6 } as const
const TCA_STATS_QUEUE = 3
const TCA_U32 = { SEL: 5, ACT: 7 } as const
const TC_U32_TERMINAL = 1
const TCA_ACT = { KIND: 1, OPTIONS: 2 } as const
const TCA_MIRRED_PARMS = 2
const TCA_EGRESS_REDIR = 1
const TC_ACT_STOLEN = 4
const LINKLAYER_ETHERNET = 1
const MOST_RATE32 = 0xffffffff
const MOST_BYTES32 = 0x7fffffff
/** Any protocol, in network order, of the first priority. */
const EVERYTHING = 0x00010300

export type Bucket = {
  /** Bytes per second. */
  readonly rate: number
  /** The largest packet that comes. */
  readonly mtu: number
}

/** How much passes at once, and how much waits: beyond that packets are dropped. */
export function bucketSizes({ rate, mtu }: Bucket): { readonly burst: number; readonly limit: number } {
  // 20 ms of it; a bucket that no packet fits into would let nothing through.
  const burst = Math.min(Math.max(Math.ceil(rate / 50), 2 * (mtu + 64)), MOST_BYTES32 / 4)
  // 100 ms more, and no less than what a connection sends at once.
  return { burst, limit: Math.min(Math.ceil(Math.max(rate / 10, 64 * 1024)) + burst, MOST_BYTES32) }
}

/** Whatever leaves by the interface goes through the bucket; an earlier bucket takes the new measure, and drops nothing. */
export function setBucket(socket: NetlinkSocket, index: number, bucket: Bucket): void {
  const { burst, limit } = bucketSizes(bucket)
  // struct tc_tbf_qopt: two struct tc_ratespec, limit, buffer, mtu. The kernel knows Ethernet's times without a table.
  const options = Buffer.alloc(36)
  options[1] = LINKLAYER_ETHERNET
  options.writeUInt32LE(Math.min(bucket.rate, MOST_RATE32), 8)
  options.writeUInt32LE(limit, 24)
  const body = nested(
    TCA.OPTIONS,
    attribute(TCA_TBF.PARMS, options),
    attribute(TCA_TBF.BURST, u32(burst)),
    ...(bucket.rate > MOST_RATE32 ? [attribute(TCA_TBF.RATE64, u64(bucket.rate))] : []),
  )
  const place = { handle: BUCKET_HANDLE, parent: TC_H_ROOT }
  const flags = NLM_F.ACK | NLM_F.CREATE | NLM_F_REPLACE
  socket.request(
    [{ type: RTM.NEWQDISC, flags, body: [header(index, place), attribute(TCA.KIND, cstr("tbf")), body] }],
    "traffic limit",
  )
}

/** Fine where there is none. */
export function removeBucket(socket: NetlinkSocket, index: number): void {
  remove(socket, header(index, { handle: BUCKET_HANDLE, parent: TC_H_ROOT }))
}

/** Whatever comes in by the interface goes out by the other one instead. */
export function redirect(socket: NetlinkSocket, index: number, to: number): void {
  const everything = Buffer.alloc(32)
  everything[0] = TC_U32_TERMINAL
  everything[2] = 1
  // struct tc_mirred: index, capab, action, refcnt, bindcnt, eaction, ifindex.
  const mirred = Buffer.alloc(28)
  mirred.writeInt32LE(TC_ACT_STOLEN, 8)
  mirred.writeInt32LE(TCA_EGRESS_REDIR, 20)
  mirred.writeUInt32LE(to, 24)
  const action = nested(
    1,
    attribute(TCA_ACT.KIND, cstr("mirred")),
    nested(TCA_ACT.OPTIONS, attribute(TCA_MIRRED_PARMS, mirred)),
  )
  const hook: NetlinkMessage = {
    type: RTM.NEWQDISC,
    flags: NLM_F.ACK | NLM_F.CREATE | NLM_F.EXCL,
    body: [header(index, { handle: INGRESS_HANDLE, parent: TC_H_INGRESS }), attribute(TCA.KIND, cstr("ingress"))],
  }
  const filter: NetlinkMessage = {
    type: RTM.NEWTFILTER,
    flags: NLM_F.ACK | NLM_F.CREATE | NLM_F.EXCL,
    body: [
      header(index, { handle: 0, parent: INGRESS_HANDLE, info: EVERYTHING }),
      attribute(TCA.KIND, cstr("u32")),
      nested(TCA.OPTIONS, attribute(TCA_U32.SEL, everything), nested(TCA_U32.ACT, action)),
    ],
  }
  socket.request([hook, filter], "redirection of what comes in")
}

/** Fine where there is none. */
export function removeRedirection(socket: NetlinkSocket, index: number): void {
  remove(socket, header(index, { handle: INGRESS_HANDLE, parent: TC_H_INGRESS }))
}

export type BucketUsage = {
  /** Packets that found no room. */
  readonly dropped: number
  /** How often a packet had to wait. */
  readonly overlimits: number
}

/** Of the bucket at the root of the interface; undefined where there is none. */
export function bucketUsage(socket: NetlinkSocket, index: number): BucketUsage | undefined {
  const message = {
    type: RTM.GETQDISC,
    flags: NLM_F.ACK | NLM_F_ECHO,
    body: [header(index, { handle: 0, parent: TC_H_ROOT })],
  }
  try {
    for (const { type, body } of socket.request([message], "traffic limit")) {
      const attributes = readAttributes(body.subarray(20))
      if (type !== RTM.NEWQDISC || attributes.get(TCA.KIND)?.toString().replace(/\0.*$/s, "") !== "tbf") continue
      const queue = readAttributes(attributes.get(TCA.STATS2) ?? Buffer.alloc(0)).get(TCA_STATS_QUEUE)
      // struct gnet_stats_queue: qlen, backlog, drops, requeues, overlimits.
      return queue === undefined || queue.length < 20
        ? { dropped: 0, overlimits: 0 }
        : { dropped: queue.readUInt32LE(8), overlimits: queue.readUInt32LE(16) }
    }
  } catch (error) {
    if (!isGone(error)) throw error
  }
  return undefined
}

function remove(socket: NetlinkSocket, place: Uint8Array): void {
  try {
    socket.request([{ type: RTM.DELQDISC, flags: NLM_F.ACK, body: [place] }], "remove a traffic limit")
  } catch (error) {
    if (!isGone(error)) throw error
  }
}

function isGone(error: unknown): boolean {
  // EINVAL: another discipline than ours is there, or none.
  return ["ENOENT", "ENODEV", "EINVAL"].includes(errnoName(error) ?? "")
}

/** struct tcmsg */
function header(
  index: number,
  place: { readonly handle: number; readonly parent: number; readonly info?: number },
): Uint8Array {
  const bytes = Buffer.alloc(20)
  bytes.writeInt32LE(index, 4)
  bytes.writeUInt32LE(place.handle, 8)
  bytes.writeUInt32LE(place.parent, 12)
  bytes.writeUInt32LE(place.info ?? 0, 16)
  return bytes
}

function u64(value: number): Uint8Array {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64LE(BigInt(value))
  return bytes
}
